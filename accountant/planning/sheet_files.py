"""Sheets as CSV and JSON: money exact and as text, names escaped or marked."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from io import StringIO
from typing import Any

from accountant.csv_text import name_cell, text_cell
from accountant.money import plain
from accountant.planning.sheets import Cell, Column, Document, Sheet
from tollgate.ledger.cells import OVERFLOW


def sheet_csv(document: Document, sheet: Sheet) -> str:
    """A header, the rows and the others; no total, as whoever reads it adds up.

    What is not known, or has a zero base, is `n/a`; a missing name is an empty cell.
    """
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("periods", *(column.name for column in sheet.columns), "currency"))
    for row in (*sheet.rows, *([sheet.others] if sheet.others else [])):
        cells = (_cell(*pair) for pair in zip(row, sheet.columns, strict=True))
        writer.writerow((" ".join(document.periods), *cells, document.currency))
    return text.getvalue()


def document_json(document: Document) -> str:
    """One object: the facts, each sheet as a list of objects, its total, and the notes."""
    members: dict[str, Any] = {
        "document": document.kind,
        "periods": list(document.periods),
        "time_zone": "UTC",
        "currency": document.currency,
        **document.facts,
    }
    for sheet in document.sheets:
        members[sheet.name] = [_object(row, sheet.columns) for row in sheet.rows]
        for name, row in (("others", sheet.others), ("total", sheet.total)):
            if row is not None:
                members[f"{sheet.name}_{name}"] = _sum(row, sheet.columns)
    members["notes"] = list(document.notes)
    return json.dumps(members, ensure_ascii=False, indent=2) + "\n"


def _cell(value: Cell, column: Column) -> str:
    if column.kind == "name":
        return name_cell(None if value is None else str(value))
    if value is None:
        return "" if column.kind == "day" else "n/a"
    if isinstance(value, Decimal):
        return plain(value)
    return text_cell(str(value))


def _object(row: Sequence[Cell], columns: Sequence[Column]) -> dict[str, Any]:
    return {column.name: _member(value) for value, column in zip(row, columns, strict=True)}


def _sum(row: Sequence[Cell], columns: Sequence[Column]) -> dict[str, Any]:
    """A row that stands for several, which has no names."""
    named = {column.name for column in columns if column.kind in {"name", "text"}}
    return {name: value for name, value in _object(row, columns).items() if name not in named}


def _member(value: Cell) -> object:
    if value == OVERFLOW:
        return {"overflow": True}
    if isinstance(value, Decimal):
        return plain(value)
    return value.isoformat() if isinstance(value, date) else value
