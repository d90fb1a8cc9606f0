from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from accountant.planning.sheet_table import document_table
from accountant.planning.sheets import Cell, Column, Document, Kind, Sheet

NAMES = tuple(Column(name, "name", name) for name in ("tenant", "billing_code", "model"))
AMOUNT = Column("amount", "money", "amount")


def table(
    columns: Sequence[Column], *rows: Sequence[Cell], width: int = 80, **changes: Any
) -> list[str]:
    tables = {"A table": [column.name for column in columns]}
    sheet = Sheet(name="rows", columns=columns, rows=rows, tables=tables, **changes)
    made = Document(
        kind="test",
        periods=("2026-10",),
        title="A test",
        currency="USD",
        facts={},
        sheets=[sheet],
        notes=["A \x1bnote."],
    )
    return document_table(made, width).splitlines()


def test_a_title_a_heading_rows_and_notes() -> None:
    found = table((NAMES[0], AMOUNT), ("contoso", Decimal("1.005")))
    assert found == [
        "A test",
        "",
        "A table",
        "tenant   amount",
        "───────────────",
        "contoso    1.01",
        "",
        "A \N{REPLACEMENT CHARACTER}note.",
    ]


def test_without_rows_there_are_none() -> None:
    assert table((NAMES[0],))[3] == "none"


@pytest.mark.parametrize(
    ("kind", "value", "told"),
    [
        ("money", Decimal("-0.001"), "0.00"),
        ("money", Decimal("1234567.5"), "1,234,567.50"),
        ("price", Decimal("0.00005"), "0.0001"),
        ("price", Decimal("-0.00001"), "0.0000"),
        ("percent", Decimal(-3), "-3.0%"),
        ("percent", None, "n/a"),
        ("count", 1234, "1,234"),
        ("day", None, ""),
        ("text", "=so", "=so"),
    ],
)
def test_figures_are_as_people_read_them(kind: Kind, value: Cell, told: str) -> None:
    assert table((Column("x", kind, "x"),), (value,))[5].strip() == told


def test_many_names_share_a_column() -> None:
    found = table((*NAMES, AMOUNT), ("contoso", None, None, Decimal(1)))
    assert found[3] == "tenant / billing_code / model             amount"
    assert found[5] == "contoso / — unallocated — / — no model —    1.00"


def test_others_and_the_total_stand_below_in_that_order() -> None:
    one, rest, all_of = ((name, Decimal(cost)) for name, cost in (("a", 1), (None, 2), (None, 3)))
    found = table((NAMES[0], AMOUNT), one, others=rest, total=all_of)
    assert found[5:9] == ["a         1.00", "", "others    2.00", "total     3.00"]


def test_a_name_is_folded_and_a_figure_never() -> None:
    amounts = tuple(Column(f"amount {place}", "money", "amount") for place in range(5))
    found = table((NAMES[0], *amounts), ("x" * 100, *[Decimal(10**12)] * 5))
    assert sum("1,000,000,000,000.00" in line for line in found) == 1
    assert sum("xxxxx" in line for line in found) == 10


def test_colour_is_for_terminals() -> None:
    sheet = Sheet(name="rows", columns=(NAMES[0],), rows=[("a",)], tables={"": ["tenant"]})
    made = Document(
        kind="test",
        periods=(),
        title="A test",
        currency="USD",
        facts={},
        sheets=[sheet],
        notes=[],
    )
    assert "\x1b[" in document_table(made, 80, colour=True)
    assert "\x1b[" not in document_table(made, 80)
