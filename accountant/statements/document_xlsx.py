"""Documents as Excel workbooks: a sheet a table, real numbers, no formulas.

A number in a workbook has 15 significant digits. Where one has more, its column is followed by one
of text that has them all, so that nothing is lost and the column can still be summed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import ROUND_HALF_EVEN, Context, Decimal
from io import BytesIO
from typing import Any, Final

import xlsxwriter

from accountant.csv_cells import looks_like_formula
from accountant.money import plain
from accountant.statements.document import Cell, Column, Document, Kind, Row, Table
from accountant.statements.figures import decimals, money, text_of

_DIGITS: Final = 15
_CUT: Final = Context(prec=_DIGITS, rounding=ROUND_HALF_EVEN)
_WIDEST: Final = 60
_TEXT: Final[frozenset[Kind]] = frozenset({"text"})
_EXACT: Final = "every digit"


def document_xlsx(document: Document) -> bytes:
    """A workbook; the first sheet says what the document is."""
    content = BytesIO()
    book: Any = xlsxwriter.Workbook(content, {"in_memory": True})
    made_on = datetime.combine(document.made_for, time())
    book.set_properties(
        {"title": f"{document.title}: {document.whose}", "author": "Tollgate", "created": made_on}
    )
    sheets = _Sheets(book, document.currency)
    sheets.write_cover(document)
    for table in document.tables:
        sheets.write_table(table)
    book.close()
    return content.getvalue()


class _Sheets:
    """Writes sheets of one workbook, with one format for each way a cell looks."""

    def __init__(self, book: Any, currency: str) -> None:
        self._book = book
        self._currency = currency
        self._formats: dict[tuple[tuple[str, Any], ...], Any] = {}

    def write_cover(self, document: Document) -> None:
        """What it is, the total, the facts, the notices, the end."""
        sheet = self._sheet("Cover", landscape=False)
        sheet.set_column(0, 0, 28)
        sheet.set_column(1, 1, 90)
        self._write(sheet, (0, 0), document.title, {"bold": True, "font_size": 16})
        self._write(sheet, (1, 0), document.whose, {"font_size": 12})
        self._write(sheet, (2, 0), document.status.upper(), {"bold": True})
        bold = {"bold": True, "align": "left", "font_size": 12}
        self._write(sheet, (4, 0), f"{document.owed_label}, {document.currency}", bold)
        self._number(sheet, (4, 1), document.owed, "amount", bold)
        at = 6
        for name, value in document.facts:
            self._write(sheet, (at, 0), name, {"font_color": "#555555", "valign": "top"})
            self._write(sheet, (at, 1), value, {"text_wrap": True})
            at += 1
        at += 1
        for line in (*document.notices, *document.footer):
            self._write(sheet, (at, 0), line, {})
            at += 1
        if _too_long(document.owed):
            self._write(sheet, (5, 1), money(document.owed, document.currency), {})

    def write_table(self, table: Table) -> None:
        """A heading that stays in sight, a filter over the rows, sums below them."""
        sheet = self._sheet(table.sheet, landscape=True)
        columns, rows = _with_every_digit(table, self._currency)
        for place, column in enumerate(columns):
            heading = {"bold": True, "bg_color": "#E8EDF3", "bottom": 1, "text_wrap": True}
            heading |= {"valign": "top", "align": "left" if column.kind in _TEXT else "right"}
            self._write(sheet, (0, place), column.heading, heading)
            sheet.set_column(place, place, self._width(columns, rows, place))
        for at, row in enumerate(rows, 1):
            look: dict[str, Any] = {"bold": True, "top": 1} if row.strong else {}
            for place, cell in enumerate(row.cells):
                self._cell(sheet, (at, place), cell, columns[place].kind, look)
        filtered = sum(not row.strong for row in rows)
        sheet.autofilter(0, 0, max(filtered, 1), len(columns) - 1)
        sheet.freeze_panes(1, 0)
        sheet.repeat_rows(0)
        if table.note:
            self._write(sheet, (len(rows) + 2, 0), table.note, {"italic": True})

    def _sheet(self, name: str, *, landscape: bool) -> Any:
        """A sheet that is printed on A4, as wide as a page, with its name and page below."""
        sheet: Any = self._book.add_worksheet(name)
        if landscape:
            sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.set_footer("&L&A&RPage &P of &N")
        return sheet

    def _cell(
        self, sheet: Any, place: tuple[int, int], cell: Cell, kind: Kind, look: dict[str, Any]
    ) -> None:
        if cell is None:
            sheet.write_blank(*place, None, self._format(look))
        elif isinstance(cell, str):
            align = {} if kind in _TEXT else {"align": "right"}
            self._write(sheet, place, cell, {**look, **align})
        elif isinstance(cell, date):
            made = self._format({**look, "num_format": "yyyy-mm-dd"})
            sheet.write_datetime(*place, datetime.combine(cell, time()), made)
        else:
            self._number(sheet, place, Decimal(cell), kind, look)

    def _write(self, sheet: Any, place: tuple[int, int], text: str, look: dict[str, Any]) -> None:
        """Text that is never a formula, also after someone has edited the cell."""
        quoted = {"quote_prefix": True} if looks_like_formula(text) else {}
        sheet.write_string(*place, text, self._format({**look, **quoted}))

    def _number(
        self, sheet: Any, place: tuple[int, int], number: Decimal, kind: Kind, look: dict[str, Any]
    ) -> None:
        """A number that shows all its decimals."""
        value, shown = _CUT.plus(number), self._pattern(number, kind)
        value = value / 100 if kind == "percent" else value
        sheet.write_number(*place, float(value), self._format({**look, "num_format": shown}))

    def _pattern(self, number: Decimal, kind: Kind) -> str:
        digits = len(plain(number).partition(".")[2])
        if kind == "amount":
            digits = decimals(number, self._currency)
        whole = "0" if kind in {"number", "percent"} else "#,##0"
        return whole + "." * (digits > 0) + "0" * digits + "%" * (kind == "percent")

    def _format(self, look: dict[str, Any]) -> Any:
        key = tuple(sorted(look.items()))
        if key not in self._formats:
            self._formats[key] = self._book.add_format(look)
        return self._formats[key]

    def _width(self, columns: Sequence[Column], rows: Sequence[Row], place: int) -> int:
        """Room for every figure; long names are cut on the screen, not in the cell."""
        kind = columns[place].kind
        cells = (text_of(row.cells[place], kind, self._currency) for row in rows)
        longest = max((len(text) for text in cells), default=0)
        heading = columns[place].heading
        least = len(heading) if kind in _TEXT else max(len(word) for word in heading.split())
        return min(_WIDEST, max(longest + 2, least + 4))


def _too_long(cell: Cell) -> bool:
    """Whether a workbook's number has not so many digits."""
    if isinstance(cell, str | date | None):
        return False
    number = Decimal(cell)
    return _CUT.plus(number) != number


def _with_every_digit(table: Table, currency: str) -> tuple[list[Column], list[Row]]:
    """The table; behind a column with a number too long stands one of text with all its digits."""
    columns: list[Column] = []
    cells: list[list[Cell]] = [[] for _ in table.rows]
    for place, column in enumerate(table.columns):
        columns.append(column)
        long = any(_too_long(row.cells[place]) for row in table.rows)
        if long:
            columns.append(Column(f"{column.heading}, {_EXACT}"))
        for made, row in zip(cells, table.rows, strict=True):
            made.append(row.cells[place])
            if long:
                made.append(text_of(row.cells[place], column.kind, currency))
    rows = [Row(tuple(made), row.strong) for made, row in zip(cells, table.rows, strict=True)]
    return columns, rows
