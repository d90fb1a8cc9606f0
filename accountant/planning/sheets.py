"""A planning document as sheets of typed columns, which every format is written from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Literal

import msgspec

# name: a group's value, None is missing. money: exact. price and percent: rounded where they were
# made; None is not known, or has a zero base. count: whole. day: UTC. text: words of ours.
Kind = Literal["name", "money", "price", "percent", "count", "day", "text"]
Cell = str | int | Decimal | date | None
Fact = str | int | bool | None | Mapping[str, "Fact"] | Sequence["Fact"]


class Column(msgspec.Struct, frozen=True):
    """A column.

    Args:
        name: As CSV and JSON call it.
        kind: What its cells are.
        heading: As a table calls it.
    """

    name: str
    kind: Kind
    heading: str


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of one kind.

    Args:
        name: As JSON and file names call it.
        columns: What each cell of a row is.
        rows: In their order.
        others: What is in no row of its own, together; None is nothing.
        total: What the rows and others add up to; None is not a sum.
        tables: The columns of each table by the line above it, since 80 characters do not hold
            many; CSV and JSON have them all.
    """

    name: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    others: Sequence[Cell] | None = None
    total: Sequence[Cell] | None = None
    tables: Mapping[str, Sequence[str]]


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """What a planning command answers.

    Args:
        kind: The command.
        periods: The months that it is about.
        title: A line that says what it is.
        currency: ISO 4217, of all money.
        facts: What JSON says before the sheets: bases, methods, windows.
        sheets: The first is the answer, the others explain it.
        notes: What a reader must know, in sentences.
    """

    kind: str
    periods: Sequence[str]
    title: str
    currency: str
    facts: Mapping[str, Fact]
    sheets: Sequence[Sheet]
    notes: Sequence[str]
