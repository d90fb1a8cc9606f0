from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
from exporting import owed

from accountant.charges import Allocation, Charge, Correction
from accountant.closing.shared_changes import described_correction, shared_changes

ALLOCATION = Allocation(cost="gateway", method="even", share="1/2", whole=Decimal(10))


def shared(amount: str, **changes: Any) -> Charge:
    """A part of the gateway's cost."""
    return owed(amount, description="gateway, evenly", allocation=ALLOCATION, **changes)


def amounts(billed: list[Charge], now: list[Charge]) -> list[tuple[str, Decimal]]:
    return [(each.description, each.amount) for each in shared_changes(billed, now)]


def test_an_amount_that_is_the_same_needs_nothing() -> None:
    assert amounts([shared("5")], [shared("5.00")]) == []


def test_one_line_bears_the_difference_as_it_is_shared_now() -> None:
    third = msgspec.structs.replace(ALLOCATION, share="1/3")
    [found] = shared_changes([shared("5")], [shared("3.33", effective=Decimal(4))]) or []
    assert (found.amount, found.effective) == (Decimal("-1.67"), Decimal(-1))
    moved = msgspec.structs.replace(shared("3.33"), allocation=third)
    [found] = shared_changes([shared("5")], [moved])
    assert found.allocation == third


def test_an_amount_that_is_gone_is_taken_back_and_a_new_one_billed() -> None:
    other = shared("2", billing_code="CC-2")
    found = list(shared_changes([shared("5")], [other]))
    assert [(each.billing_code, each.amount) for each in found] == [
        ("CC-1001", Decimal(-5)),
        ("CC-2", Decimal(2)),
    ]


def test_what_earlier_corrections_billed_is_not_billed_again() -> None:
    correction = Correction(month="2026-09", statement=None, line=None, reason="cost")
    told = described_correction("2026-09", "gateway, evenly")
    earlier = msgspec.structs.replace(shared("-1.67"), description=told, correction=correction)
    assert amounts([shared("5"), earlier], [shared("3.33")]) == []
    assert amounts([shared("5"), earlier], []) == [("gateway, evenly", Decimal("-3.33"))]


def test_credits_are_told_apart_by_what_they_say() -> None:
    given = [owed("-1", description=name, category="Credit") for name in ("outage", "goodwill")]
    assert amounts(given[:1], given) == [("goodwill", Decimal(-1))]
