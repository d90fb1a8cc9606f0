"""The house: sizes, and a test beside every module."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MAX_FILE_LINES = 300
MAX_FUNCTION_LINES = 40

CODE = sorted([*(ROOT / "tollgate").rglob("*.py"), *(ROOT / "accountant").rglob("*.py")])
ALL_PYTHON = [*CODE, *sorted((ROOT / "tests").rglob("*.py")), ROOT / "function_app.py"]


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def functions(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1


@pytest.mark.parametrize("path", ALL_PYTHON, ids=named)
def test_a_file_is_short_enough_to_be_read(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= MAX_FILE_LINES


@pytest.mark.parametrize("path", CODE, ids=named)
def test_a_function_is_short_enough_to_be_read(path: Path) -> None:
    assert [name for name, lines in functions(path) if lines > MAX_FUNCTION_LINES] == []


@pytest.mark.parametrize(
    "word", ["utils", "util", "core", "common", "helpers", "misc", "base", "manager"]
)
def test_nothing_is_named_after_what_it_does_not_say(word: str) -> None:
    assert [named(path) for path in CODE if word in (path.stem, path.parent.name)] == []
