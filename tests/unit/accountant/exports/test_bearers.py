from __future__ import annotations

from datetime import date
from decimal import Decimal

from exporting import NAMES, owed, part, usage

from accountant.charges import Charge
from accountant.exports.accounts import Accounts, CostCentre
from accountant.exports.bearers import owed_by_bearer

MOVE = date(2026, 10, 11)
MOVED = Accounts(
    cost_centres={
        ("contoso", "CC-1001"): [
            CostCentre("old", "E", effective_to=MOVE),
            CostCentre("new", "E", effective_from=MOVE),
        ]
    }
)


def borne(*charges: Charge) -> list[tuple[str, str, Decimal]]:
    """Kind, cost centre and amount of what contoso owes."""
    owing = owed_by_bearer(charges, MOVED)["contoso"]
    return [(bearer.kind, bearer.cost_centre, amount) for bearer, amount in owing.items()]


def test_what_is_posted_as_one_line_adds_up_without_the_rounding() -> None:
    charges = [usage(), usage(), owed("9", category="Rounding")]
    (found,) = owed_by_bearer(charges, NAMES)["contoso"].values()
    assert found == Decimal("0.0003")


def test_usage_is_borne_by_the_cost_centre_of_its_day() -> None:
    old, new = date(2026, 10, 10), date(2026, 10, 12)
    assert borne(owed("1", start=old, end=MOVE), owed("2", start=MOVE, end=new)) == [
        ("usage", "old", Decimal(1)),
        ("usage", "new", Decimal(2)),
    ]


def test_a_month_is_spread_over_the_cost_centres_of_its_days() -> None:
    (_, _, before), (_, _, after) = borne(part("31.01"))
    assert before == Decimal("10.003225806451612903")  # 10 of 31 days
    assert before + after == Decimal("31.01")


def test_two_shared_costs_are_two_lines() -> None:
    redis = part("1", "even", {"cost": "redis"}, end=MOVE)
    gateway = part("2", "even", {"cost": "gateway"}, end=MOVE)
    assert [amount for *_, amount in borne(redis, gateway)] == [1, 2]


def test_what_has_no_days_is_of_its_first() -> None:
    assert borne(owed("1", start=MOVE, end=MOVE)) == [("usage", "new", Decimal(1))]
