"""Cells added up are the sum of the cells, on every ledger."""

from __future__ import annotations

from datetime import timedelta

import pytest
from builders import NOON
from ledgers import OCTOBER, Ledger, measured

from tollgate.ledger.cell_sums import cell_sums
from tollgate.ledger.cells import Meter, Usage

pytest_plugins = ["servers", "certificates", "redis_clusters", "ledgers"]

DAYS = OCTOBER.days()


async def filled(ledger: Ledger) -> Ledger:
    """Usage of two tenants around the middle of the month, and of the month after."""
    for number in range(60):
        some = {"billing_code": f"CC-{number % 3}", "user": f"user-{number % 4}"}
        tenant = "contoso" if number % 2 else "fabrikam"
        model = "gpt-4o" if number % 5 else "gpt-4o-mini"
        time = NOON + timedelta(hours=number - 30)
        await ledger.apply(
            measured(f"{number}", time, tenant=tenant, model=model, **some), now=time
        )
    later = NOON + timedelta(days=30)
    await ledger.apply(measured("later", later), now=later)
    return ledger


@pytest.mark.parametrize("starts", [DAYS, DAYS[:1], [DAYS[0], DAYS[14], DAYS[15]]])
async def test_sums_are_those_of_the_cells(ledger: Ledger, starts: list[str]) -> None:
    reader = (await filled(ledger)).reader
    money, users = ledger.cells()
    by_hour, by_user = [*cell_sums(money, starts)], [*cell_sums(users, starts)]
    for tenant in ("contoso", "fabrikam"):
        of_tenant = [each for each in by_hour if each.tenant == tenant]
        assert [*reader.money_sums(tenant, OCTOBER, starts)] == of_tenant
        of_tenant = [each for each in by_user if each.tenant == tenant]
        assert [*reader.user_sums(tenant, OCTOBER, starts)] == of_tenant


async def test_a_month_without_a_change_is_one_sum_a_row(ledger: Ledger) -> None:
    for hour in range(3):
        time = NOON + timedelta(hours=24 * hour)
        await ledger.apply(measured(f"{hour}", time), now=time)
    [found] = ledger.reader.money_sums("contoso", OCTOBER, DAYS[:1])
    assert (found.tenant, found.start, found.user) == ("contoso", "2026-10-01", None)
    assert found.usage == Usage(
        3,
        {
            "cached_input": Meter(1920, 3),
            "input": Meter(1080, 3),
            "output": Meter(90, 3),
            "reasoning_output": Meter(270, 3),
        },
    )


async def test_a_tenant_that_used_nothing_has_no_sums(ledger: Ledger) -> None:
    assert [*ledger.reader.money_sums("contoso", OCTOBER, DAYS)] == []
    assert [*ledger.reader.user_sums("contoso", OCTOBER, DAYS)] == []
