"""Documents as PDF: A4 pages with numbers, and tables whose headings stand again on every page."""

from __future__ import annotations

import unicodedata
from typing import Final

from accountant.statements.document import Document, Kind, Table
from accountant.statements.figures import money, text_of
from accountant.statements.pdf_pages import ROOM, Grid, Look, Pages, grid

_NAMES: Final = frozenset({"text", "date"})
_RIGHT_TO_LEFT: Final = frozenset({"R", "AL"})
_FACT_COLUMNS: Final = 3
_ORDER_NOTE: Final = (
    "Names that are written from right to left stand here in the order of their letters, unjoined."
)


def document_pdf(document: Document) -> bytes:
    """The whole document but for its charts; the same bytes for the same document and fonts."""
    pages = Pages()
    _head(pages, document)
    for table in document.tables:
        if not table.detail:
            _table(pages, table, document.currency)
    pages.space(14)
    for line in _last_lines(document):
        pages.paragraph(line, Look(8, grey=0.35))
    title = f"{document.title}: {document.whose}"
    return pages.content(title, f"{title} · {document.status}")


def _head(pages: Pages, document: Document) -> None:
    """What it is, the total beside it, the facts, what is missing."""
    owed = f"{money(document.owed, document.currency)} {document.currency}"
    pages.paragraph(document.status.upper(), Look(8, bold=True, grey=0.35))
    pages.beside(document.owed_label, Look(9, grey=0.35))
    pages.space(4)
    pages.paragraph(document.title, Look(18, bold=True))
    pages.beside(owed, Look(18, bold=True))
    pages.paragraph(document.whose, Look(12))
    pages.space(8)
    pages.rule()
    pages.space(4)
    _facts(pages, document)
    pages.space(4)
    for notice in document.notices:
        pages.paragraph(f"•  {notice}", Look(9, bold=True))


def _facts(pages: Pages, document: Document) -> None:
    """Three beside each other, each as a small heading with what it stands for."""
    facts = list(document.facts)
    room = (ROOM - 2 * 8) / _FACT_COLUMNS
    columns = Grid([room] * _FACT_COLUMNS, [False] * _FACT_COLUMNS, 8)
    for start in range(0, len(facts), _FACT_COLUMNS):
        chosen = facts[start : start + _FACT_COLUMNS]
        chosen += [("", "")] * (_FACT_COLUMNS - len(chosen))
        pages.facts([name for name, _ in chosen], [value for _, value in chosen], columns)


def _table(pages: Pages, table: Table, currency: str) -> None:
    heading = [column.heading for column in table.columns]
    kinds: list[Kind] = [column.kind for column in table.columns]
    rows = [
        [text_of(cell, kind, currency) for cell, kind in zip(row.cells, kinds, strict=True)]
        for row in table.rows
    ]
    strong = [row.strong for row in table.rows]
    pages.space(14)
    pages.needs(60)
    pages.paragraph(table.title, Look(11, bold=True))
    pages.space(3)
    columns = grid(heading, rows, [kind not in _NAMES for kind in kinds])
    pages.rows(heading, list(zip(rows, strong, strict=True)), columns)
    if table.note:
        pages.space(2)
        pages.paragraph(table.note, Look(7.5, grey=0.35))


def _last_lines(document: Document) -> list[str]:
    return [*document.footer, *([_ORDER_NOTE] if _has_right_to_left(document) else [])]


def _has_right_to_left(document: Document) -> bool:
    texts = [document.whose]
    texts += [
        cell
        for table in document.tables
        for row in table.rows
        for cell in row.cells
        if isinstance(cell, str)
    ]
    return any(unicodedata.bidirectional(each) in _RIGHT_TO_LEFT for text in texts for each in text)
