"""What focus-validator 1.0.0 says of exports; it is installed under build/ the first time."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest
from accounting import OCTOBER, card, money_cell, sku, used
from exporting import BOOKS, focus_csv, golden_books, golden_charges, owed, part, usage
from focus_validation import validated

from accountant.charges import Charge, Correction, Uncharged
from accountant.edition import Edition
from accountant.exports.books import Books
from accountant.usage_charges import month_charges
from tollgate.ledger.cells import OVERFLOW, MoneyCell

pytestmark = pytest.mark.integration

GOLDEN = Path(__file__).parents[1] / "golden"
LATE = Correction(month="2026-09", statement="2026-09-0001", line=1, reason="usage")
SEPTEMBER: dict[str, Any] = {
    "start": date(2026, 9, 30),
    "end": date(2026, 10, 1),
    "correction": LATE,
}
HALF = Decimal("0.5")
RESERVED = {"commitment": "/reservationOrders/1", "tokens": (("input", 900),)}
CELLS: dict[str, list[MoneyCell]] = {
    "unallocated usage": [money_cell(billing_code=None)],
    "names beyond the limit": [money_cell(billing_code=OVERFLOW)],
    "names that are numbers or nothing": [
        money_cell(tenant=name, billing_code="0042", sku=sku(deployment="4", region="7"))
        for name in ("1001", "1e5", "NA", "null", "True")
    ],
    "names that would be formulas": [money_cell(tenant='=HYPERLINK("x")', billing_code="@A1")],
    "usage of which little is known": [
        money_cell(
            sku=sku(model_version=None, deployment=None, backend=None, region=None, scope=None)
        )
    ],
    "amounts beyond what a float holds": [money_cell(usage=used(10**15 + 1))],
    "whole amounts": [money_cell(usage=used(20_000_000))],
}
CHARGES: dict[str, list[Charge]] = {
    "corrections of a closed month": [usage(**SEPTEMBER), usage(-1000, **SEPTEMBER)],
    "a credit": [usage(), owed("-12.5", category="Credit")],
    "a fee, the part of it that was used, and what was not": [
        usage(category="Purchase", effective=Decimal(0)),
        usage(amount=Decimal(0), effective=HALF),
        usage(amount=Decimal(0), effective=HALF, billing_code=None),
    ],
    "provisioned throughput by the hour": [part("33.34"), part("33.33", "idle")],
    "provisioned throughput that is reserved": [
        part("33.34", shared=RESERVED),
        part("33.33", "idle", RESERVED, tenant="unallocated", billing_code=None),
    ],
    "shared platform costs": [part("33.34", each) for each in ("proportional", "even", "fixed")],
    "corrected parts of costs": [part("-0.5", "even", correction=LATE)],
    "nothing but rounding": [owed("0.005", category="Rounding")],
}
EVERYTHING: Final[list[Charge | Uncharged]] = [
    *(charge for charges in CHARGES.values() for charge in charges),
    *(each for each in month_charges(OCTOBER, CELLS["unallocated usage"], card())),
]
CLOSED = Books(
    period=OCTOBER,
    currency="USD",
    edition=Edition(
        status="closed",
        rate_card="0042",
        numbers={tenant: f"2026-10-{tenant}" for tenant in ("contoso", "unallocated")},
    ),
)


def verdict(tmp_path: Path, text: str) -> str:
    path = tmp_path / "focus.csv"
    path.write_text(text)
    return validated(path)


@pytest.mark.parametrize("folder", sorted(path.parent for path in GOLDEN.glob("*/focus-1.0.csv")))
def test_a_golden_month_is_focus(folder: Path) -> None:
    assert "Validation succeeded." in validated(folder / "focus-1.0.csv")


@pytest.mark.parametrize("folder", sorted(path.parent for path in GOLDEN.glob("*/costs.toml")))
def test_a_month_with_fixed_costs_is_focus(folder: Path, tmp_path: Path) -> None:
    text = focus_csv(golden_charges(folder), books=golden_books(folder))
    assert "Validation succeeded." in verdict(tmp_path, text)


@pytest.mark.parametrize("name", CELLS)
def test_a_month_of_any_usage_is_focus(name: str, tmp_path: Path) -> None:
    charges: list[Charge | Uncharged] = list(month_charges(OCTOBER, CELLS[name], card()))
    assert "Validation succeeded." in verdict(tmp_path, focus_csv(charges))


@pytest.mark.parametrize("name", CHARGES)
def test_a_month_of_any_charge_is_focus(name: str, tmp_path: Path) -> None:
    assert "Validation succeeded." in verdict(tmp_path, focus_csv(CHARGES[name]))


@pytest.mark.parametrize("books", [BOOKS, CLOSED], ids=["draft", "closed"])
def test_a_month_of_everything_is_focus(books: Books, tmp_path: Path) -> None:
    text = focus_csv(EVERYTHING, books=books)
    assert "Validation succeeded." in verdict(tmp_path, text)


def test_what_is_no_focus_is_refused(tmp_path: Path) -> None:
    text = focus_csv([usage()]).replace(f",{BOOKS.currency},", ",bucks,")
    assert "Validation succeeded." not in verdict(tmp_path, text)
