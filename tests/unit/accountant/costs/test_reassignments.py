from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from costing import reassign
from pydantic import ValidationError

from accountant.costs.payers import Payer
from accountant.costs.reassignments import Reassignments, reassign_clashes

DAY = date(2026, 10, 15)


@pytest.mark.parametrize(
    ("members", "booked", "payer"),
    [
        ({"to_tenant": "fabrikam"}, ("contoso", "a"), ("fabrikam", "a")),
        ({"to_billing_code": "b"}, ("contoso", None), ("contoso", "b")),
        ({"billing_code": "a", "to_billing_code": "b"}, ("contoso", "a"), ("contoso", "b")),
        ({"billing_code": "a", "to_billing_code": "b"}, ("contoso", "c"), ("contoso", "c")),
        ({"without_code": True, "to_billing_code": "b"}, ("contoso", None), ("contoso", "b")),
        ({"without_code": True, "to_billing_code": "b"}, ("contoso", "a"), ("contoso", "a")),
        ({"to_tenant": "fabrikam"}, ("adatum", "a"), ("adatum", "a")),
    ],
)
def test_usage_moves_as_the_rule_says(members: dict[str, Any], booked: Payer, payer: Payer) -> None:
    assert Reassignments([reassign(tenant="contoso", **members)]).payer(booked, DAY) == payer


def test_a_rule_holds_from_a_day_to_a_day() -> None:
    row = reassign(tenant="contoso", to_tenant="fabrikam", effective_to=DAY)
    rules = Reassignments([row])
    days = (date(2026, 9, 30), date(2026, 10, 1), date(2026, 10, 14), DAY)
    payers = [rules.payer(("contoso", None), day)[0] for day in days]
    assert payers == ["contoso", "fabrikam", "fabrikam", "contoso"]


def test_a_rule_for_a_code_goes_before_its_tenants() -> None:
    wide = reassign(tenant="contoso", to_tenant="fabrikam")
    narrow = reassign(tenant="contoso", billing_code="a", to_tenant="adatum")
    for rows in ([wide, narrow], [narrow, wide]):
        rules = Reassignments(rows)
        assert rules.payer(("contoso", "a"), DAY) == ("adatum", "a")
        assert rules.payer(("contoso", "b"), DAY) == ("fabrikam", "b")


def test_usage_moves_once_so_two_teams_can_swap() -> None:
    rules = Reassignments(
        [reassign(tenant="a", to_tenant="b"), reassign(tenant="b", to_tenant="a")]
    )
    assert rules.payer(("a", None), DAY) == ("b", None)
    assert rules.payer(("b", None), DAY) == ("a", None)


@pytest.mark.parametrize(
    ("members", "told"),
    [
        ({"billing_code": "a", "without_code": True, "to_tenant": "b"}, "exclude each other"),
        ({}, "write to_tenant, to_billing_code, or both"),
        ({"to_tenant": "contoso"}, "it moves usage to where it is"),
        ({"billing_code": "a", "to_billing_code": "a"}, "it moves usage to where it is"),
    ],
)
def test_a_row_moves_something(members: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        reassign(tenant="contoso", **members)


def test_two_payers_for_the_same_usage_are_told() -> None:
    rows = [
        reassign(tenant="contoso", without_code=True, to_tenant="fabrikam"),
        reassign(tenant="contoso", without_code=True, to_tenant="adatum", effective_from=DAY),
        reassign(tenant="contoso", to_tenant="adatum"),
    ]
    (told,) = reassign_clashes(rows)
    assert "both move usage of contoso without a billing code from 2026-10-15" in told
