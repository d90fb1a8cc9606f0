from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, cast

from accounting import OCTOBER, sku
from exporting import owed, usage

from accountant.charges import Allocation, Uncharged
from accountant.exports.books import Books
from accountant.exports.charge_columns import COLUMNS
from accountant.exports.charge_frame import charge_frame

BOOKS = Books(period=OCTOBER, currency="USD")
PART = Allocation(cost="gateway", method="even", share="0.5", whole=Decimal(5))
UNCOUNTED = Uncharged(
    tenant="contoso",
    billing_code=None,
    start=date(2026, 10, 2),
    sku=sku(provenance="pending"),
    requests=2,
    consumed=None,
)


def rows(*charges: Any) -> list[dict[str, Any]]:
    frame = charge_frame(charges, BOOKS)
    return cast("list[dict[str, Any]]", frame.to_dict("records"))


def test_a_charge_is_a_row_whose_amount_is_exact() -> None:
    (row,) = rows(usage(quantity=1))
    assert (row["amount"], type(row["amount"])) == (Decimal("1.5E-7"), Decimal)
    assert (row["tenant"], row["quantity"], str(row["start_day"].date())) == (
        "contoso",
        1,
        "2026-10-15",
    )


def test_amounts_add_up_exactly() -> None:
    frame = charge_frame([usage(quantity=1), usage(quantity=2), owed("2.50")], BOOKS)
    assert frame["amount"].sum() == Decimal("2.50000045")


def test_what_is_not_known_is_missing_and_never_zero() -> None:
    frame = charge_frame([UNCOUNTED], BOOKS)
    missing = ["billing_code", "meter", "quantity", "amount", "unit_price"]
    assert frame[missing].isna().all(axis=None)
    assert list(frame["status"]) == ["uncounted"]


def test_a_part_of_a_shared_cost_says_of_what() -> None:
    (row,) = rows(owed("2.50", allocation=PART))
    assert (row["shared_cost"], row["share"], row["shared_whole"]) == (
        "gateway",
        Decimal("0.5"),
        Decimal(5),
    )


def test_a_frame_without_charges_has_all_columns() -> None:
    assert list(charge_frame([], BOOKS).columns) == list(COLUMNS)
