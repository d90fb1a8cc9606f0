from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from reconciling import THE_15TH, prompt

from accountant.reconciliation.causes import Evidence
from accountant.reconciliation.differences import Line, line_of
from accountant.reconciliation.sides import Booked, Provided

ZERO = Decimal(0)


def line(provided: Provided | None, booked: Booked | None, **changes: Any) -> Line:
    known = changes.pop("known", {})
    terms: dict[str, Any] = {"tolerance": ZERO, "money": False, "settled": True, **changes}
    evidence = Evidence(item=prompt(), provided=provided, booked=booked, **known)
    return line_of(THE_15TH, evidence, **terms)


def bill(quantity: int, amount: str, booked: int, owed: str, **changes: Any) -> Line:
    """A line with money."""
    ours = Booked(quantity=booked, amount=Decimal(owed), unpriced=changes.pop("unpriced", 0))
    rounding = Decimal(changes.pop("amount_rounding", 0))
    theirs = Provided(quantity=quantity, amount=Decimal(amount), amount_rounding=rounding)
    return line(theirs, ours, money=True, **changes)


def test_a_line_that_agrees() -> None:
    found = line(Provided(quantity=7), Booked(quantity=7))
    assert (found.status, found.difference, found.causes) == ("agrees", 0, ())
    assert (found.amount_difference, found.unexplained_amount) == (None, None)


def test_who_has_nothing_has_none_of_it() -> None:
    found = line(None, Booked(quantity=7))
    assert (found.provider, found.ledger, found.difference) == (None, 7, -7)
    assert (found.status, found.unexplained) == ("unexplained", -7)


def test_a_difference_with_a_cause_is_explained() -> None:
    found = line(Provided(quantity=9), None, known={"is_direct": True})
    assert (found.status, found.unexplained) == ("explained", 0)


def test_a_day_that_may_grow_is_unsettled_whatever_it_says() -> None:
    assert line(Provided(quantity=9), None, settled=False).status == "unsettled"


@pytest.mark.parametrize(("ledger", "status"), [(990, "tolerated"), (989, "unexplained")])
def test_what_is_left_may_be_a_part_of_the_providers_count(ledger: int, status: str) -> None:
    found = line(Provided(quantity=1000), Booked(quantity=ledger), tolerance=Decimal("0.01"))
    assert (found.status, found.unexplained) == (status, 1000 - ledger)


def test_the_same_quantity_at_another_price_is_unexplained() -> None:
    found = bill(1000, "0.16", 1000, "0.15")
    assert (found.amount_difference, found.unexplained_amount) == (Decimal("0.01"),) * 2
    assert (found.unexplained, found.status) == (0, "unexplained")


def test_a_cause_has_an_amount_at_the_providers_price() -> None:
    found = bill(1200, "2.4", 1000, "2", known={"uncounted": 1, "per_request": 200})
    (cause,) = found.causes
    assert (cause.kind, cause.quantity, cause.amount) == ("uncounted", 200, Decimal("0.4"))
    assert (found.unexplained_amount, found.status) == (ZERO, "explained")


def test_what_the_provider_has_nothing_of_has_the_cards_price() -> None:
    booked = Booked(quantity=1000, estimated=1000, amount=Decimal(2))
    found = line(None, booked, money=True)
    (cause,) = found.causes
    assert (cause.kind, cause.amount) == ("estimated", Decimal(-2))
    assert (found.provider_amount, found.unexplained_amount) == (None, ZERO)


def test_what_has_no_price_on_either_side_has_no_amount() -> None:
    found = line(Provided(quantity=9, amount=ZERO), None, money=True, known={"is_direct": True})
    assert [cause.amount for cause in found.causes] == [ZERO]


def test_digits_that_an_amount_lacks_are_rounding() -> None:
    found = bill(1000, "0.15", 1000, "0.1504", amount_rounding="0.0005")
    (cause,) = found.causes
    assert (cause.kind, cause.quantity, cause.amount) == ("rounding", 0, Decimal("-0.0004"))
    assert found.status == "explained"
    assert bill(1000, "0.15", 1000, "0.1506", amount_rounding="0.0005").status == "unexplained"


def test_rounding_of_quantity_and_amount_is_one_cause() -> None:
    theirs = Provided(
        quantity=1003, amount=Decimal("1.0031"), rounding=5, amount_rounding=Decimal("0.001")
    )
    found = line(theirs, Booked(quantity=1000, amount=Decimal(1)), money=True)
    (cause,) = found.causes
    assert (cause.kind, cause.quantity, cause.amount) == ("rounding", 3, Decimal("0.0031"))


def test_a_division_that_does_not_end_leaves_nothing_unexplained() -> None:
    found = bill(3, "1", 2, "0.666666666666666", known={"uncounted": 1, "per_request": 1})
    assert found.unexplained_amount == ZERO or abs(found.unexplained_amount or 0) < Decimal("1E-11")


def test_usage_without_a_rate_is_not_explained_by_that() -> None:
    found = bill(1000, "0.15", 1000, "0", unpriced=1000)
    assert (found.ledger_amount, found.unpriced) == (None, 1000)
    assert (found.status, found.unexplained_amount) == ("unexplained", Decimal("0.15"))


def test_money_has_the_same_tolerance() -> None:
    tolerance = Decimal("0.1")
    assert bill(1000, "1", 1000, "0.9", tolerance=tolerance).status == "tolerated"
    assert bill(1000, "1", 1000, "0.89", tolerance=tolerance).status == "unexplained"
