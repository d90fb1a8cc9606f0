"""Reads TOML and CSV as rows with the line of each key, before anyone asks what they mean."""

from __future__ import annotations

import csv
import re
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, cast

from accountant.rate_cards.rate_csv import FindColumns, csv_rows, rate_columns
from accountant.rate_cards.raw_rows import RawRow, RowKeys

_MAX_BYTES: Final = 64_000_000
_HEADER: Final = re.compile(r"\s*\[?\[\s*(\w+)\s*\]")
_KEY: Final = re.compile(r"\s*[\"']?(\w+)[\"']?\s*=")


def read_rows(
    file: Path,
    keys: RowKeys,
    columns: FindColumns = rate_columns,
    once: frozenset[str] = frozenset(),
) -> tuple[list[RawRow], list[str]]:
    """The rows of a file, and what is wrong with it as a whole.

    Args:
        file: `.csv`, or TOML whatever its name.
        keys: What rows of each kind may and must say.
        columns: What a CSV file may have.
        once: The kinds that are one `[table]` and not rows.
    """
    try:
        if file.stat().st_size > _MAX_BYTES:
            return [], [f"{file}: is larger than {_MAX_BYTES // 10**6} MB, so it holds no rows"]
        text = file.read_bytes().decode("utf-8-sig")
        if file.suffix.lower() == ".csv":
            return csv_rows(file, text, keys, columns)
        return list(_toml_rows(file, text, [*keys], once)), []
    except OSError as error:
        return [], [f"{file}: cannot be read: {error.strerror}"]
    except (ValueError, csv.Error) as error:  # not TOML, not CSV, not UTF-8, or not rows
        return [], [f"{file}: {error}"]
    except RecursionError:
        kind = next(iter(keys))
        return [], [f"{file}: is nested too deeply to be read; write each row under [[{kind}]]"]


def _toml_rows(
    file: Path, text: str, kinds: Sequence[str], once: frozenset[str]
) -> Iterator[RawRow]:
    document = tomllib.loads(text)
    unknown = sorted(document.keys() - {*kinds})
    if unknown:
        listed = ", ".join(f"[{kind}]" if kind in once else f"[[{kind}]]" for kind in kinds)
        raise ValueError(f"unknown key {', '.join(unknown)}: a file holds {listed} rows only")
    for kind in kinds:
        rows: object = document.get(kind, [])
        rows = [cast("object", rows)] if kind in once and isinstance(rows, dict) else rows
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
