"""Sheets as tables for a terminal: money to the smallest unit of its currency."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from io import StringIO
from typing import Final

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from accountant.labels import label, shown
from accountant.money import rounded
from accountant.planning.figures import half_up
from accountant.planning.sheets import Cell, Column, Document, Sheet

_NAME_WIDTH: Final = 10  # names and words fold down to this; figures never fold
_NO_MODEL: Final = "— no model —"  # it is unknown, or the charge is for none
_MOST_NAMES: Final = 2  # more share a column
_GAP: Final = 1
_PRICE_UNIT: Final = Decimal("0.0001")
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
    _add_columns(table, columns)
    for row in sheet.rows:
        cells = _cells([row[place] for place in places], columns, currency)
        table.add_row(*_joined(cells, columns))
    table.add_section()
    for words, row in (("others", sheet.others), ("total", sheet.total)):
        if row is not None:
            cells = _cells([row[place] for place in places], columns, currency)
            table.add_row(*_joined(_labelled(words, cells, columns), columns), style="bold")
    return table


def _add_columns(table: Table, columns: Sequence[Column]) -> None:
    for heading, column in zip(_headings(columns), columns, strict=True):
        folds = column.kind in _FOLDING
        if heading is not None:
            table.add_column(
                heading,
                justify="left" if folds else "right",
                no_wrap=not folds,
                overflow="fold" if folds else "ellipsis",
            )


def _headings(columns: Sequence[Column]) -> list[str | None]:
    """What stands above each column; None shares the first name's, as `_joined` does."""
    names = [place for place, column in enumerate(columns) if column.kind == "name"]
    headings: list[str | None] = [column.heading for column in columns]
    if len(names) > _MOST_NAMES:
        headings[names[0]] = " / ".join(columns[place].heading for place in names)
        for place in names[1:]:
            headings[place] = None
    return headings


def _joined(cells: Sequence[Text], columns: Sequence[Column]) -> list[Text]:
    """The cells, where many names share the first one's, as 80 characters do not hold them."""
    names = [place for place, column in enumerate(columns) if column.kind == "name"]
    if len(names) <= _MOST_NAMES:
        return [*cells]
    shared = Text(" / ".join(str(cells[place]) for place in names if str(cells[place])))
    kept = [cell for place, cell in enumerate(cells) if place not in names[1:]]
    kept[names[0]] = shared
    return kept


def _labelled(words: str, cells: Sequence[Text], columns: Sequence[Column]) -> list[Text]:
    """A row that stands for several: words in place of its first name, none for other names."""
    folding = [column.kind in _FOLDING for column in columns]
    return [
        (Text("" if place else words) if folds else cell)
        for place, (cell, folds) in enumerate(zip(cells, folding, strict=True))
    ]


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
        if value is None and column.name == "model":
            return _NO_MODEL
        return label(column.name, None if value is None else str(value))
    if value is None:
        return "" if column.kind == "day" else "n/a"
    if isinstance(value, Decimal):
        return _figure(value, column, currency)
    return str(value) if isinstance(value, date) else _words(value)


def _words(value: str | int) -> str:
    return shown(value) if isinstance(value, str) else f"{value:,}"


def _figure(value: Decimal, column: Column, currency: str) -> str:
    if column.kind == "percent":
        return f"{value:.1f}%"
    if column.kind == "price":
        value = half_up(Fraction(value), _PRICE_UNIT)
    else:
        value = rounded(value, currency)
    return f"{value or abs(value):,}"  # a zero has no sign
