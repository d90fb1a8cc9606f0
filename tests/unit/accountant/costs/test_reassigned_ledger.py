from __future__ import annotations

from accounting import OCTOBER, money_cell, user_cell
from costing import Cells, reassign

from accountant.costs.reassigned_ledger import ReassignedLedger
from accountant.costs.reassignments import Reassignments, ReassignRow
from tollgate.ledger.outcome import KeptAside

HOURS = ("2026-10-15T00", "2026-10-15T12", "2026-10-16T00")
MONEY = [
    money_cell(tenant=tenant, hour=hour)
    for tenant in ("adatum", "contoso", "zeta")
    for hour in HOURS
]
USERS = [user_cell(tenant=tenant) for tenant in ("adatum", "contoso", "zeta")]


def ledger(*rows: ReassignRow) -> ReassignedLedger:
    return ReassignedLedger(Cells(MONEY, USERS), Reassignments(rows))


def test_cells_that_change_tenant_come_in_their_place() -> None:
    moved = ledger(reassign(tenant="adatum", to_tenant="contoso", to_billing_code="x"))
    found = [(cell.tenant, cell.hour) for cell in moved.money_cells(OCTOBER)]
    assert found == sorted(found)
    assert len(found) == len(MONEY)
    assert {tenant for tenant, _ in found} == {"contoso", "zeta"}
    users = [(cell.tenant, cell.billing_code, cell.user) for cell in moved.user_cells(OCTOBER)]
    assert sorted(users[:2]) == [("contoso", "CC-1001", "alice"), ("contoso", "x", "alice")]


def test_cells_that_change_code_stay_where_they_are() -> None:
    moved = ledger(reassign(tenant="contoso", to_billing_code="x"))
    cells = list(moved.money_cells(OCTOBER))
    assert [(cell.tenant, cell.hour) for cell in cells] == [
        (each.tenant, each.hour) for each in MONEY
    ]
    assert {cell.billing_code for cell in cells if cell.tenant == "contoso"} == {"x"}


def test_without_a_rule_cells_are_what_they_were() -> None:
    assert list(ledger().money_cells(OCTOBER)) == MONEY
    assert list(ledger().user_cells(OCTOBER)) == USERS


def test_who_only_adds_up_reads_once_and_in_any_order() -> None:
    moved = ledger(reassign(tenant="adatum", to_tenant="zeta"))
    tenants = [cell.tenant for cell in moved.unsorted_money_cells(OCTOBER)]
    assert tenants == [*["zeta"] * 3, *["contoso"] * 3, *["zeta"] * 3]


def test_tenants_who_may_owe_are_known() -> None:
    moved = ledger(reassign(tenant="adatum", to_tenant="beta")).known_to_owe(["gamma"])
    assert moved.tenants() == ["adatum", "beta", "contoso", "gamma", "zeta"]
    assert moved.kept_aside("adatum") == KeptAside(0, 0)
