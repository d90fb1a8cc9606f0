"""Reads YAML as settings need it: no key twice, dates as text, and errors that quote no value."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import Any, Final

import yaml

from tollgate.errors import SettingsError

_TIMESTAMP: Final = "tag:yaml.org,2002:timestamp"
_UNREADABLE: Final = (
    ValueError,
    TypeError,
    AttributeError,
    RecursionError,
)  # from its constructors


def read_yaml(path: Path) -> tuple[object, list[str]]:
    """Read a file.

    Returns:
        What it holds, and where a key stands twice; the last one of them is in what it holds.

    Raises:
        SettingsError: It cannot be read, or is not YAML; one line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise SettingsError([f"{path}: cannot be read: {reason}"]) from None
    try:
        loader = _Loader(text)
        raw: object = loader.get_single_data()
    except yaml.YAMLError as error:
        raise SettingsError([f"{path}: not YAML: {_in_one_line(error)}"]) from None
    except _UNREADABLE:
        raise SettingsError([f"{path}: not YAML: it holds a value that cannot be read"]) from None
    return raw, loader.problems


class _Loader(yaml.SafeLoader):
    """PyYAML takes the last of two equal keys in silence; this one tells."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.problems: list[str] = []

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002  PyYAML's signature
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    line = key.start_mark.line + 1
                    self.problems.append(f"line {line}: the key {key.value!r} stands twice")
                seen.add(key.value)
        return super().construct_mapping(node, deep)


# A model's version is written like a date, and is a name.
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != _TIMESTAMP]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _in_one_line(error: yaml.YAMLError) -> str:
    """Without the excerpt that PyYAML gives: there may be a secret in it."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        mark = error.problem_mark
        return f"line {mark.line + 1}, column {mark.column + 1}: {error.problem}"
    return "it holds a character that YAML does not allow"
