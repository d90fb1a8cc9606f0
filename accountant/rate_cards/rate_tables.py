"""Reads TOML and CSV as rows with the line of each key, before anyone asks what they mean."""

from __future__ import annotations

import csv
import re
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, cast

from accountant.rate_cards.rate_csv import csv_rows
from accountant.rate_cards.raw_rows import RawRow, RowKeys

_MAX_BYTES: Final = 64_000_000
_HEADER: Final = re.compile(r"\s*\[\[\s*(\w+)\s*\]\]")
_KEY: Final = re.compile(r"\s*[\"']?(\w+)[\"']?\s*=")


def read_rows(file: Path, keys: RowKeys) -> tuple[list[RawRow], list[str]]:
    """The rows of a file, and what is wrong with it as a whole.

    Args:
        file: `.csv`, or TOML whatever its name.
        keys: What rows of each kind may and must say.
    """
    try:
        if file.stat().st_size > _MAX_BYTES:
            return [], [f"{file}: is larger than {_MAX_BYTES // 10**6} MB, which no such file is"]
        text = file.read_bytes().decode("utf-8-sig")
        if file.suffix.lower() == ".csv":
            return csv_rows(file, text, keys)
        return list(_toml_rows(file, text, [*keys])), []
    except OSError as error:
        return [], [f"{file}: cannot be read: {error.strerror}"]
    except (ValueError, csv.Error) as error:  # not TOML, not CSV, not UTF-8, or not rows
        return [], [f"{file}: {error}"]
    except RecursionError:
        return [], [f"{file}: is nested too deeply to be read; write each row under [[rate]]"]


def _toml_rows(file: Path, text: str, kinds: Sequence[str]) -> Iterator[RawRow]:
    document = tomllib.loads(text)
    unknown = sorted(document.keys() - {*kinds})
    if unknown:
        listed = ", ".join(f"[[{kind}]]" for kind in kinds)
        raise ValueError(f"unknown key {', '.join(unknown)}: a file holds {listed} rows only")
    for kind in kinds:
        rows = document.get(kind, [])
        if not isinstance(rows, list):
            raise ValueError(f"{kind}: write each row under [[{kind}]]")  # noqa: TRY004  told like the rest
        blocks = _blocks(text, kind)
        told = blocks if len(blocks) == len(cast("list[Any]", rows)) else []
        name = "row" if kind == "rate" else kind
        for number, members in enumerate(cast("list[object]", rows), 1):
            line, lines = told[number - 1] if told else (None, cast("dict[str, int]", {}))
            yield RawRow(
                kind=kind,
                file=file,
                number=number,
                line=line,
                lines=lines,
                members=members,
                name=name,
            )


def _blocks(text: str, kind: str) -> list[tuple[int, dict[str, int]]]:
    """The line of each `[[kind]]`, with the lines of the keys below it."""
    found: list[tuple[int, dict[str, int]]] = []
    inside = False
    for number, line in enumerate(text.split("\n"), 1):
        if header := _HEADER.match(line):
            inside = header[1] == kind
            if inside:
                found.append((number, {}))
        elif inside and (key := _KEY.match(line)):
            found[-1][1].setdefault(key[1], number)
    return found
