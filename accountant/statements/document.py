"""A document of tables and charts, in words and typed figures; how it is written is not its matter.

Names in it are as they may be shown: without what is invisible or turns text around. They are
still data: who writes a document escapes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Literal

import msgspec

# `amount` and `price` are money; `number` is a place in a list; a `percent` has its sign in place.
Kind = Literal["text", "number", "count", "amount", "price", "percent", "date"]
Cell = str | int | Decimal | date | None


class Column(msgspec.Struct, frozen=True):
    """A column's heading, and what its cells are."""

    heading: str
    kind: Kind = "text"


class Row(msgspec.Struct, frozen=True):
    """Cells, one a column; a strong row is a sum of others."""

    cells: tuple[Cell, ...]
    strong: bool = False


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """Rows under a title.

    Args:
        title: What it shows.
        sheet: The same in at most 31 letters.
        columns: From left to right.
        rows: From top to bottom.
        note: What there is to know to read it.
        detail: It backs up the others, and stands only where there is room for it.
    """

    title: str
    sheet: str
    columns: Sequence[Column]
    rows: Sequence[Row]
    note: str = ""
    detail: bool = False


class Bar(msgspec.Struct, frozen=True):
    """One bar of a chart; that of the others stands for many."""

    label: str
    amount: Decimal
    others: bool = False


class Chart(msgspec.Struct, frozen=True, kw_only=True):
    """Bars from a common zero.

    Args:
        title: What they show, with the unit.
        bars: In the order in which they stand.
        upright: A bar a day, from left to right; else a bar a name, from top to bottom.
    """

    title: str
    bars: Sequence[Bar]
    upright: bool = False


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """A page, or some.

    Args:
        title: What it is.
        whose: For whom it is.
        status: Which state of the books it shows, in a word.
        currency: ISO 4217.
        owed: The total, to the smallest unit.
        owed_label: What that is.
        facts: Labels with what they stand for.
        notices: What must be known before the total is used, each a sentence.
        charts: What the tables look like.
        tables: From top to bottom.
        footer: What ends it, each a sentence.
        made_for: The last day that it is about; also what files say they were made on.
    """

    title: str
    whose: str
    status: str
    currency: str
    owed: Decimal
    owed_label: str
    facts: Sequence[tuple[str, str]]
    notices: Sequence[str]
    charts: Sequence[Chart]
    tables: Sequence[Table]
    footer: Sequence[str]
    made_for: date
