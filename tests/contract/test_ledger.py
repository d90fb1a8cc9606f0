"""One contract for every ledger: in memory, on Redis and on Valkey."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from builders import NOON
from ledgers import (
    OCTOBER,
    Ledger,
    OpenLedger,
    cells_after,
    measured,
)

from tollgate.ledger.cells import OVERFLOW, Meter
from tollgate.ledger.outcome import KeptAside, LedgerLimits
from tollgate.usage.sku import sku_of
from tollgate.usage.tokens import NO_TOKENS, Tokens

pytest_plugins = ["servers", "certificates", "redis_clusters", "ledgers"]

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


async def test_an_empty_ledger_has_nothing(ledger: Ledger) -> None:
    assert await ledger.apply() == []
    assert ledger.reader.tenants() == []
    assert ledger.cells() == ([], [])


async def test_an_event_is_counted_by_leaf_in_its_hour_and_day(ledger: Ledger) -> None:
    assert await ledger.apply(measured()) == ["applied"]
    [money], [user] = ledger.cells()
    assert (money.tenant, money.hour, money.billing_code) == ("contoso", "2026-10-15T12", "CC-1001")
    assert (user.day, user.billing_code, user.user) == ("2026-10-15", "CC-1001", "alice")
    assert money.usage == user.usage
    assert money.usage.requests == 1
    assert money.usage.meters == {
        "cached_input": Meter(640, 1),
        "input": Meter(360, 1),
        "output": Meter(30, 1),
        "reasoning_output": Meter(90, 1),
    }


async def test_the_sku_survives_storage(ledger: Ledger) -> None:
    event = measured(region=None)
    [cell], _ = await cells_after(ledger, event)
    assert cell.sku == sku_of(event.event.data)


async def test_units_are_counted_beside_tokens(ledger: Ledger) -> None:
    [cell], _ = await cells_after(ledger, measured(units={"web_search_calls": 3}))
    assert cell.usage.meters["web_search_calls"] == Meter(3, 1)


async def test_a_request_without_usage_is_counted_as_a_request(ledger: Ledger) -> None:
    [cell], _ = await cells_after(ledger, measured(provenance="none", tokens=NO_TOKENS))
    assert (cell.usage.requests, cell.usage.meters) == (1, {})


async def test_the_same_event_again_changes_nothing(ledger: Ledger) -> None:
    once = await cells_after(ledger, measured())
    assert await ledger.apply(measured(), measured()) == ["duplicate", "duplicate"]
    assert ledger.cells() == once


async def test_outcomes_are_in_the_order_of_the_events(ledger: Ledger) -> None:
    events = [measured(f"req-{i % 3}", tenant=f"tenant-{i % 2}") for i in range(12)]
    assert await ledger.apply(*events) == ["applied"] * 6 + ["duplicate"] * 6


async def test_another_body_under_the_same_key_is_kept_aside_once(ledger: Ledger) -> None:
    first = await cells_after(ledger, measured())
    other = measured(status=201)
    assert await ledger.apply(other, other) == ["conflict", "conflict"]
    assert ledger.cells() == first
    assert ledger.reader.kept_aside("contoso") == KeptAside(conflicts=1, late=0)


async def test_sums_beyond_2_to_the_53_are_exact(ledger: Ledger) -> None:
    most = Tokens(input=10**12, output=10**12 - 1)
    [cell], [user] = await cells_after(
        ledger, *(measured(f"req-{i}", tokens=most) for i in range(9_100))
    )
    assert cell.usage == user.usage
    assert cell.usage.meters["input"] == Meter(9_100 * 10**12, 9_100)
    assert cell.usage.meters["output"] == Meter(9_100 * (10**12 - 1), 9_100)


async def test_an_event_of_any_age_is_counted_in_its_own_hour(ledger: Ledger) -> None:
    old = measured("old", NOON - 400 * DAY)
    assert await ledger.apply(measured(), old) == ["applied", "applied"]
    assert [cell.hour for cell in ledger.cells().money] == ["2026-10-15T12"]


async def test_the_last_millisecond_of_a_month_is_in_it(ledger: Ledger) -> None:
    last = measured("last", OCTOBER.end - timedelta(milliseconds=1))
    money, users = await cells_after(ledger, last, measured("next", OCTOBER.end))
    assert [cell.hour for cell in money] == ["2026-10-31T23"]
    assert [cell.day for cell in users] == ["2026-10-31"]


async def test_an_hour_with_cells_but_without_ids_takes_no_more(open_ledger: OpenLedger) -> None:
    ledger = await open_ledger(LedgerLimits(memory_s=0.05))
    counted = await cells_after(ledger, measured())
    await asyncio.sleep(0.1)
    late = measured("new")
    assert await ledger.apply(late, measured(), late, now=NOON + DAY) == ["late"] * 3
    assert ledger.cells() == counted
    assert ledger.reader.kept_aside("contoso") == KeptAside(conflicts=0, late=2)


async def test_every_write_in_an_hour_lengthens_its_memory(open_ledger: OpenLedger) -> None:
    ledger = await open_ledger(LedgerLimits(memory_s=1.5))
    await ledger.apply(measured("a"))
    await asyncio.sleep(0.8)
    await ledger.apply(measured("b"), now=NOON + timedelta(seconds=0.8))
    await asyncio.sleep(0.8)
    assert await ledger.apply(measured("a"), now=NOON + timedelta(seconds=1.6)) == ["duplicate"]


async def test_users_beyond_the_limit_share_one_cell(open_ledger: OpenLedger) -> None:
    ledger = await open_ledger(LedgerLimits(users_per_day=2))
    names = ["a", "b", "c", "d", "a", None]
    _, users = await cells_after(
        ledger, *(measured(f"req-{i}", user=user) for i, user in enumerate(names))
    )
    assert {cell.user: cell.usage.requests for cell in users} == {
        "a": 2,
        "b": 1,
        None: 1,
        OVERFLOW: 2,
    }


async def test_the_limit_of_users_begins_anew_each_day(open_ledger: OpenLedger) -> None:
    ledger = await open_ledger(LedgerLimits(users_per_day=1))
    _, users = await cells_after(ledger, measured("1"), measured("2", NOON + DAY, user="bob"))
    assert [cell.user for cell in users] == ["alice", "bob"]


async def test_billing_codes_beyond_the_limit_share_one_cell(open_ledger: OpenLedger) -> None:
    ledger = await open_ledger(LedgerLimits(billing_codes=1))
    codes = ["a", "b", "c", "a", None]
    money, users = await cells_after(
        ledger, *(measured(f"req-{i}", billing_code=code) for i, code in enumerate(codes))
    )
    expected = {None: 1, OVERFLOW: 2, "a": 2}
    assert {cell.billing_code: cell.usage.requests for cell in money} == expected
    assert {cell.billing_code: cell.usage.requests for cell in users} == expected


HOSTILE = [
    *"{}:*?\"'\\ é🧾",
    *["{a}", "a}:{b", "a:b", "[a]", '","', "%7B", "a/b", "..", "$^", "null"],
    *["e\u0301", "x" * 255, "x" * 256],
]


async def test_no_name_can_look_like_another(ledger: Ledger) -> None:
    events = [
        measured(f"{i}-{field}", NOON, tenant=name, **{field: name})
        for i, name in enumerate(HOSTILE)
        for field in ("billing_code", "user", "model")
    ]
    assert set(await ledger.apply(*events)) == {"applied"}
    assert ledger.reader.tenants() == sorted(HOSTILE)
    found = {(c.tenant, c.billing_code, c.user, c.sku.model) for c in ledger.cells().users}
    expected = {(t, t, "alice", "gpt-4o-mini") for t in HOSTILE}
    expected |= {(t, "CC-1001", t, "gpt-4o-mini") for t in HOSTILE}
    expected |= {(t, "CC-1001", "alice", t) for t in HOSTILE}
    assert found == expected


async def test_tenants_share_no_ids(ledger: Ledger) -> None:
    assert set(await ledger.apply(*(measured(tenant=name) for name in HOSTILE))) == {"applied"}
    assert {cell.usage.requests for cell in ledger.cells().money} == {1}


async def test_cells_are_sorted_with_unallocated_usage_first(ledger: Ledger) -> None:
    codes = ["b", "B", None, "a"]
    events = [
        measured(f"{tenant}-{i}-{code}", NOON - i * HOUR, tenant=tenant, billing_code=code)
        for tenant in ("t2", "t1")
        for i in range(3)
        for code in codes
    ]
    money, _ = await cells_after(ledger, *events)
    order = [(cell.tenant, cell.hour, cell.billing_code or "") for cell in money]
    assert order == sorted(order)
    assert len(order) == len(events)


@pytest.mark.parametrize("minutes", [-60, -1, 60, 119])
async def test_the_same_key_in_the_hour_beside_is_a_conflict(ledger: Ledger, minutes: int) -> None:
    moved = NOON + timedelta(minutes=minutes)
    assert await ledger.apply(measured("a"), measured("a", time=moved)) == ["applied", "conflict"]


async def test_a_request_that_only_reasoned_is_a_request_of_output(ledger: Ledger) -> None:
    await ledger.apply(
        measured("a", tokens=Tokens(input=1, output=5, reasoning_output=5)),
        measured("b", tokens=Tokens(input=1, output=5)),
    )
    [cell], [user_cell] = ledger.cells()
    assert cell.usage.meters["output"] == user_cell.usage.meters["output"] == Meter(5, 2)
    assert cell.usage.meters["reasoning_output"] == Meter(5, 1)
