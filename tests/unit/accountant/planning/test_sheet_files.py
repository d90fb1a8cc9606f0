from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from accountant.planning.sheet_files import document_json, sheet_csv
from accountant.planning.sheets import Cell, Column, Document, Sheet
from tollgate.ledger.cells import OVERFLOW

COLUMNS = (
    Column("tenant", "name", "tenant"),
    Column("amount", "money", "amount"),
    Column("share", "percent", "%"),
    Column("count", "count", "count"),
    Column("day", "day", "day"),
    Column("why", "text", "why"),
)


def row(**changes: Cell) -> Sequence[Cell]:
    values: dict[str, Any] = {
        "tenant": "contoso",
        "amount": Decimal("1.50"),
        "share": Decimal("0.1"),
        "count": 1000,
        "day": date(2026, 10, 1),
        "why": "so",
    }
    return tuple((values | changes).values())


def document(*rows: Sequence[Cell], **changes: Any) -> Document:
    tables = {"": [column.name for column in COLUMNS]}
    sheet = Sheet(name="rows", columns=COLUMNS, rows=rows, tables=tables, **changes)
    return Document(
        kind="test",
        periods=("2026-09", "2026-10"),
        title="A test",
        currency="USD",
        facts={"base": 1},
        sheets=[sheet],
        notes=["A note."],
    )


def csv_rows(made: Document) -> list[dict[str, str]]:
    return list(csv.DictReader(sheet_csv(made, made.sheets[0]).splitlines()))


def test_a_row_of_csv_has_every_digit_and_its_months_and_currency() -> None:
    assert csv_rows(document(row())) == [
        {
            "periods": "2026-09 2026-10",
            "tenant": "contoso",
            "amount": "1.5",
            "share": "0.1",
            "count": "1000",
            "day": "2026-10-01",
            "why": "so",
            "currency": "USD",
        }
    ]


@pytest.mark.parametrize(
    ("name", "cell"),
    [("=1+1", "'=1+1"), (OVERFLOW, "(overflow)"), ("(overflow)", "'(overflow)"), (None, "")],
)
def test_names_of_csv_are_data(name: str | None, cell: str) -> None:
    assert csv_rows(document(row(tenant=name)))[0]["tenant"] == cell


def test_what_is_not_known_is_said_in_csv_and_null_in_json() -> None:
    made = document(row(amount=None, share=None, count=None, day=None))
    found = csv_rows(made)[0]
    assert [found[name] for name in ("amount", "share", "count", "day")] == ["n/a"] * 3 + [""]
    assert json.loads(document_json(made))["rows"][0]["share"] is None


def test_others_are_a_row_of_csv_and_the_total_is_not() -> None:
    made = document(row(), others=row(tenant=None), total=row(tenant=None))
    assert [each["tenant"] for each in csv_rows(made)] == ["contoso", ""]


def test_json_is_one_object_with_money_as_text() -> None:
    made = document(row(), row(tenant=OVERFLOW), total=row(tenant=None))
    found = json.loads(document_json(made))
    assert found["rows"][0] == {
        "tenant": "contoso",
        "amount": "1.5",
        "share": "0.1",
        "count": 1000,
        "day": "2026-10-01",
        "why": "so",
    }
    assert found["rows"][1]["tenant"] == {"overflow": True}
    assert found["rows_total"] == {
        "amount": "1.5",
        "share": "0.1",
        "count": 1000,
        "day": "2026-10-01",
    }
    assert (found["base"], found["currency"], found["notes"]) == (1, "USD", ["A note."])
