from __future__ import annotations

from pathlib import Path

import pytest

from tollgate.errors import SettingsError
from tollgate.settings_yaml import read_yaml

SECRET = "sk-live-51H8xJ2"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "t.yaml"


def test_a_version_written_like_a_date_is_text(file: Path) -> None:
    file.write_text("version: 2024-07-18\nother: 2024-13-45\n")
    assert read_yaml(file) == ({"version": "2024-07-18", "other": "2024-13-45"}, [])


def test_an_empty_file_holds_nothing(file: Path) -> None:
    file.write_text("# nothing\n")
    assert read_yaml(file) == (None, [])


def test_keys_that_stand_twice_are_told_with_their_lines(file: Path) -> None:
    file.write_text("a: 1\nb: {c: 1, c: 2}\na: 3\n")
    raw, problems = read_yaml(file)
    assert raw == {"a": 3, "b": {"c": 2}}
    assert sorted(problems) == [
        "line 2: the key 'c' stands twice",
        "line 3: the key 'a' stands twice",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (f"key: [{SECRET}", "line 1, column"),
        (f"key: {SECRET}\n\tother: 1", "line 2, column 1: found character"),
        (f"key: env:{SECRET}: 3", "line 1, column"),
        (f"[{SECRET}]: 1\n", "line 1, column 1: found unhashable key"),
        ("key: *nobody", "line 1, column 6: found undefined alias"),
        ("key: !!python/none", "line 1, column 6: could not determine a constructor"),
        ("a: 1\n---\nb: 2\n", "line 2, column 1: but found another document"),
        ("key: \x00", "a character that YAML does not allow"),
        ("key: 0x_", "a value that cannot be read"),
        ("[" * 2000, "a value that cannot be read"),
    ],
)
def test_what_is_not_yaml_is_told_in_one_line_without_the_text(
    file: Path, text: str, problem: str
) -> None:
    file.write_text(text)
    with pytest.raises(SettingsError) as caught:
        read_yaml(file)
    (told,) = caught.value.problems
    assert told.startswith(f"{file}: not YAML: ")
    assert problem in told
    assert "\n" not in told
    assert SECRET not in told


def test_what_cannot_be_read_is_told(file: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read: No such file or directory"):
        read_yaml(file)
    with pytest.raises(SettingsError, match="cannot be read: Is a directory"):
        read_yaml(file.parent)
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match="cannot be read: it is not UTF-8 text"):
        read_yaml(file)
