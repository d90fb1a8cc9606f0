from __future__ import annotations

from datetime import date

import pytest
from exporting import owed, part

from accountant.charges import Charge
from accountant.exports.accounts import Accounts, CostCentre, Kind, kind_of
from tollgate.ledger.cells import OVERFLOW

DAY, MOVE = date(2026, 10, 15), date(2026, 10, 16)
ACCOUNTS = Accounts(
    expense="6400",
    ptu="6410",
    unallocated="9999",
    cost_centres={
        ("contoso", "CC-1"): [
            CostCentre("4711", "6401", effective_to=MOVE),
            CostCentre("4712", "6401", effective_from=MOVE),
        ],
        ("fabrikam", None): [CostCentre("5000", "6400")],
    },
)


def test_a_code_that_moves_has_each_cost_centre_on_its_days() -> None:
    found = [ACCOUNTS.cost_centre("contoso", "CC-1", day).cost_centre for day in (DAY, MOVE)]
    assert found == ["4711", "4712"]


def test_a_tenants_row_is_for_all_its_other_codes() -> None:
    for code in ("CC-1", None, OVERFLOW):
        assert ACCOUNTS.cost_centre("fabrikam", code, DAY).cost_centre == "5000"


def test_a_code_without_a_row_is_its_own_cost_centre() -> None:
    assert ACCOUNTS.cost_centre("contoso", "CC-2", DAY) == CostCentre("CC-2", "6400")
    for code in (None, OVERFLOW):
        assert ACCOUNTS.cost_centre("contoso", code, DAY) == CostCentre("9999", "6400")


def test_what_the_books_know_of_teams_is_asked_where_no_row_holds() -> None:
    def teams(tenant: str, _code: str | None, _day: date) -> str | None:
        return "team" if tenant == "contoso" else None

    known = Accounts(cost_centres=ACCOUNTS.cost_centres, teams=teams)
    found = [
        known.cost_centre(*asked, DAY).cost_centre
        for asked in (("contoso", "CC-1"), ("contoso", None), ("other", "CC-1"))
    ]
    assert found == ["4711", "team", "CC-1"]


def test_a_kind_without_an_account_of_its_own_is_an_expense_of_its_cost_centre() -> None:
    centre = CostCentre("4711", "6401")
    assert (ACCOUNTS.account("ptu", centre), ACCOUNTS.account("idle", centre)) == ("6410", "6401")


@pytest.mark.parametrize(
    ("charge", "kind"),
    [
        (owed("1"), "usage"),
        (owed("1", category="Purchase"), "usage"),
        (owed("1", category="Credit"), "credit"),
        (owed("1", category="Adjustment"), "adjustment"),
        (part("1"), "ptu"),
        (part("1", "idle"), "idle"),
        (part("1", "fixed"), "shared"),
    ],
)
def test_kinds_are_told_apart(charge: Charge, kind: Kind) -> None:
    assert kind_of(charge) == kind
