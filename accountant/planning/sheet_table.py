"""Sheets as tables for a terminal: money to the smallest unit of its currency."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from io import StringIO
from typing import Final

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from accountant.labels import label, shown
from accountant.money import plain, rounded
from accountant.planning.sheets import Cell, Column, Document, Sheet

_NAME_WIDTH: Final = 10  # names and words fold down to this; figures never fold
_GAP: Final = 1
_FOLDING: Final = frozenset({"name", "text"})


def document_table(document: Document, width: int, *, colour: bool = False) -> str:
    """The sheets and notes in plain text.

    Args:
        document: What to show.
        width: Columns of the terminal; lines are longer where a figure would else lose digits.
        colour: Whether the terminal shows styles.
    """
    out = StringIO()
    parts = [*_parts(document)]
    width = max([width, *(_least_width(part) for part in parts if isinstance(part, Table))])
    console = Console(file=out, width=width, force_terminal=colour, highlight=False, markup=False)
    console.print(Text(document.title, "bold", overflow="ignore"))
    for part in parts:
        console.print(part, crop=False)
    return "".join(f"{line.rstrip()}\n" for line in out.getvalue().splitlines())


def _parts(document: Document) -> Iterator[Table | Text]:
    for sheet in document.sheets:
        for heading, names in sheet.tables.items():
            yield Text()
            if heading:
                yield Text(heading, "bold", overflow="ignore")
            yield _table(sheet, names, document.currency) if sheet.rows else Text("none")
    if document.notes:
        yield Text()
    yield from (Text(shown(note), overflow="ignore") for note in document.notes)


def _table(sheet: Sheet, names: Sequence[str], currency: str) -> Table:
    places = [place for place, column in enumerate(sheet.columns) if column.name in names]
    columns = [sheet.columns[place] for place in places]
    table = Table(box=box.SIMPLE_HEAD, padding=(0, _GAP, 0, 0), pad_edge=False, show_edge=False)
    for column in columns:
        folds = column.kind in _FOLDING
        table.add_column(
            column.heading,
            justify="left" if folds else "right",
            no_wrap=not folds,
            overflow="fold" if folds else "ellipsis",
        )
    for row in sheet.rows:
        table.add_row(*_cells([row[place] for place in places], columns, currency))
    for words, row in (("others", sheet.others), ("total", sheet.total)):
        if row is not None:
            table.add_section()
            cells = _cells([row[place] for place in places], columns, currency)
            table.add_row(*_labelled(words, cells, columns), style="bold")
    return table


def _labelled(words: str, cells: Sequence[Text], columns: Sequence[Column]) -> Iterator[Text]:
    """A row that stands for several: words in place of its first name, none for other names."""
    for place, (cell, column) in enumerate(zip(cells, columns, strict=True)):
        yield cell if column.kind not in _FOLDING else Text("" if place else words)


def _least_width(table: Table) -> int:
    """What a table needs so that no digit is lost; its columns are told, too."""
    for column in table.columns:
        cells = [str(column.header).split("\n"), *(str(cell).split("\n") for cell in column.cells)]
        widest = max(cell_len(line) for lines in cells for line in lines)
        column.min_width = widest if column.no_wrap else min(widest, _NAME_WIDTH)
    return sum((column.min_width or 0) + _GAP for column in table.columns) - _GAP


def _cells(row: Sequence[Cell], columns: Sequence[Column], currency: str) -> list[Text]:
    return [
        Text(_told(value, column, currency)) for value, column in zip(row, columns, strict=True)
    ]


def _told(value: Cell, column: Column, currency: str) -> str:
    if column.kind == "name":
        return label(column.name, None if value is None else str(value))
    if value is None:
        return "" if column.kind == "day" else "n/a"
    if isinstance(value, Decimal):
        return _figure(value, column, currency)
    return str(value) if isinstance(value, date) else _words(value)


def _words(value: str | int) -> str:
    return shown(value) if isinstance(value, str) else f"{value:,}"


def _figure(value: Decimal, column: Column, currency: str) -> str:
    if column.kind == "money":
        return f"{rounded(value, currency):,}"
    return f"{plain(value)}%" if column.kind == "percent" else f"{value:,f}"
