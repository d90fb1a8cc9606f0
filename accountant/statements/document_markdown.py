"""Documents as Markdown (CommonMark with tables); names are escaped, so that none is markup."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from accountant.statements.document import Document, Table
from accountant.statements.figures import money, text_of

# What is markup somewhere in a line; and what makes a link of a bare address.
_MARKUP: Final = re.compile(r"[\\`*_{}\[\]<>#|&~$@]|:(?=/)|(?<=[wW])\.")


def document_markdown(document: Document) -> str:
    """A heading, the total, the facts, the tables, the end."""
    return "\n".join(_blocks(document))


def escaped(text: str) -> str:
    """Text that reads as itself within a line; no line begins with a name."""
    return _MARKUP.sub(r"\\\g<0>", text)


def _blocks(document: Document) -> Iterator[str]:
    owed = f"{money(document.owed, document.currency)} {document.currency}"
    yield f"# {document.title}: {escaped(document.whose)}\n"
    yield f"**{document.status.capitalize()}. {document.owed_label}: {owed}**\n"
    if document.notices:
        yield "".join(f"> - {escaped(notice)}\n" for notice in document.notices)
    yield "| | |\n| --- | --- |"
    yield from (f"| {name} | {escaped(value)} |" for name, value in document.facts)
    yield ""
    for table in document.tables:
        if not table.detail:
            yield from _table(table, document.currency)
    yield "---\n"
    yield "\n\n".join(escaped(line) for line in document.footer) + "\n"


def _table(table: Table, currency: str) -> Iterator[str]:
    """Figures stand on the right, sums are bold."""
    yield f"## {table.title}\n"
    yield _row([column.heading for column in table.columns])
    yield _row(["---" if column.kind in {"text", "date"} else "---:" for column in table.columns])
    for row in table.rows:
        cells = zip(row.cells, table.columns, strict=True)
        texts = [escaped(text_of(cell, column.kind, currency)) for cell, column in cells]
        yield _row([f"**{text}**" if row.strong and text else text for text in texts])
    yield f"\n{table.note}\n" if table.note else ""


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
