"""A value that follows a JSON schema, as models give it for tools and structured answers."""

from collections.abc import Mapping, Sequence
from typing import cast

from tollgate.local.simulator.json_types import JsonObject

_DEPTH = 8


def example(schema: Mapping[str, object], word: str, depth: int = _DEPTH) -> object:
    """A value for the schema.

    Args:
        schema: A JSON schema; `$ref` inside `$defs` is followed.
        word: What every free string says.
        depth: How many levels of the schema to follow.
    """
    return _Example(schema, word).value(schema, depth)


class _Example:
    def __init__(self, root: Mapping[str, object], word: str) -> None:
        self._root = root
        self._word = word

    def value(self, schema: Mapping[str, object], depth: int) -> object:
        if "const" in schema:
            return schema["const"]
        if depth == 0:
            return None
        for name in ("enum", "anyOf", "oneOf"):
            options = schema.get(name)
            if isinstance(options, list) and options:
                return self._option(name, cast("Sequence[object]", options)[0], depth)
        if isinstance(schema.get("$ref"), str):
            return self.value(self._referred(str(schema["$ref"])), depth - 1)
        return self._typed(schema, depth)

    def _option(self, name: str, option: object, depth: int) -> object:
        return option if name == "enum" else self.value(_object(option), depth - 1)

    def _referred(self, reference: str) -> Mapping[str, object]:
        found: Mapping[str, object] = self._root
        for step in reference.removeprefix("#/").split("/"):
            found = _object(found.get(step))
        return found

    def _typed(self, schema: Mapping[str, object], depth: int) -> object:
        match _first_type(schema.get("type")):
            case "string":
                return self._word
            case "integer" | "number":
                return 1
            case "boolean":
                return True
            case "array":
                return [self.value(_object(schema.get("items")), depth - 1)]
            case "null":
                return None
            case _:
                return self._object(schema, depth)

    def _object(self, schema: Mapping[str, object], depth: int) -> JsonObject:
        properties = _object(schema.get("properties"))
        return {name: self.value(_object(inner), depth - 1) for name, inner in properties.items()}


def _first_type(kind: object) -> object:
    """The type to take where a schema allows several."""
    return next(iter(cast("Sequence[object]", kind)), None) if isinstance(kind, list) else kind


def _object(value: object) -> Mapping[str, object]:
    return cast("Mapping[str, object]", value) if isinstance(value, dict) else {}
