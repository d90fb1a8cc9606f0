"""One contract for every ledger: in memory, on Redis and on Valkey."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest
from builders import NOON
from ledgers import (
    OCTOBER,
    Cells,
    Ledger,
    completion,
    measured,
    memory_ledger,
    pending,
    redis_ledger,
)

from tollgate.ledger.cells import OVERFLOW, Meter
from tollgate.ledger.outcome import KeptAside, LedgerLimits
from tollgate.usage.event import ReceivedEvent
from tollgate.usage.sku import sku_of
from tollgate.usage.tokens import NO_TOKENS, Tokens

pytest_plugins = ["servers"]

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
OpenLedger = Callable[[LedgerLimits], Awaitable[Ledger]]


@pytest.fixture(params=["memory", "redis_server", "valkey_server"])
async def open_ledger(request: pytest.FixtureRequest) -> AsyncIterator[OpenLedger]:
    url = None if request.param == "memory" else request.getfixturevalue(request.param)

    async with AsyncExitStack() as opened:

        async def empty_ledger(limits: LedgerLimits) -> Ledger:
            if url is None:
                return memory_ledger(limits)
            return await opened.enter_async_context(redis_ledger(url, limits))

        yield empty_ledger


@pytest.fixture
async def ledger(open_ledger: OpenLedger) -> Ledger:
    return await open_ledger(LedgerLimits())


async def cells_after(ledger: Ledger, *events: ReceivedEvent) -> Cells:
    await ledger.apply(*events)
    return ledger.cells()


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
    ledger = await open_ledger(LedgerLimits(memory_s=1))
    await ledger.apply(measured("a"))
    await asyncio.sleep(0.6)
    await ledger.apply(measured("b"), now=NOON + timedelta(seconds=0.6))
    await asyncio.sleep(0.6)
    assert await ledger.apply(measured("a"), now=NOON + timedelta(seconds=1.2)) == ["duplicate"]


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


async def test_a_completion_takes_the_place_of_a_pending_event(ledger: Ledger) -> None:
    later = completion(time=NOON + 26 * HOUR, billing_code="CC-9", user="bob", model="gpt-5")
    assert await ledger.apply(pending(), later) == ["applied", "completed"]
    [money], [user] = ledger.cells()
    assert (money.hour, money.billing_code) == ("2026-10-15T12", "CC-1001")
    assert (user.day, user.user, user.usage) == ("2026-10-15", "alice", money.usage)
    assert (money.sku.model, money.sku.provenance) == ("gpt-5", "backfilled")
    assert money.usage.meters == {"input": Meter(700, 1), "output": Meter(70, 1)}


@pytest.mark.parametrize("provenance", ["pending", "unknown", "estimated"])
async def test_a_completion_that_comes_first_gives_the_same_cells(
    open_ledger: OpenLedger, provenance: str
) -> None:
    tokens = Tokens(input=5, output=5) if provenance == "estimated" else None
    first = pending(provenance=provenance, tokens=tokens)
    second = completion(time=NOON + 26 * HOUR, billing_code="CC-9", user="bob", tenant="contoso")
    in_order = await cells_after(await open_ledger(LedgerLimits()), first, second)
    ledger = await open_ledger(LedgerLimits())
    assert await ledger.apply(second, first) == ["applied", "duplicate"]
    assert ledger.cells() == in_order


async def test_a_completion_before_its_pending_event_is_counted_meanwhile(ledger: Ledger) -> None:
    [cell], _ = await cells_after(ledger, completion(time=NOON + HOUR))
    assert (cell.hour, cell.usage.meters["input"]) == ("2026-10-15T13", Meter(700, 1))


async def test_both_halves_again_change_nothing(ledger: Ledger) -> None:
    halves = [pending(), completion(time=NOON + HOUR)]
    once = await cells_after(ledger, *halves)
    assert await ledger.apply(*halves, *reversed(halves)) == ["duplicate"] * 4
    assert ledger.cells() == once


async def test_what_shares_the_cell_stays_when_a_pending_event_leaves_it(ledger: Ledger) -> None:
    [left], _ = await cells_after(ledger, pending("other"))
    await ledger.apply(pending())
    money, _ = await cells_after(ledger, completion())
    assert [cell for cell in money if cell.sku.provenance == "pending"] == [left]


@pytest.mark.parametrize("is_first", [True, False])
async def test_a_second_completion_is_a_conflict(ledger: Ledger, *, is_first: bool) -> None:
    halves = [completion(), pending()] if is_first else [pending(), completion()]
    once = await cells_after(ledger, *halves)
    others = [completion(status=201), completion(time=NOON + 2 * HOUR)]
    assert await ledger.apply(*others) == ["conflict", "conflict"]
    assert ledger.cells() == once


@pytest.mark.parametrize("hours", [0, 3])
async def test_a_completion_of_a_measured_event_is_a_conflict(ledger: Ledger, hours: int) -> None:
    once = await cells_after(ledger, measured())
    assert await ledger.apply(completion(time=NOON + hours * HOUR)) == ["conflict"]
    assert ledger.cells() == once


@pytest.mark.parametrize("hours", [0, 3])
async def test_a_measured_event_after_a_completion_is_a_conflict(
    ledger: Ledger, hours: int
) -> None:
    once = await cells_after(ledger, completion(time=NOON + hours * HOUR))
    assert await ledger.apply(measured()) == ["conflict"]
    assert ledger.cells() == once


async def test_a_second_pending_event_in_another_hour_is_a_conflict(ledger: Ledger) -> None:
    once = await cells_after(ledger, pending())
    assert await ledger.apply(pending(time=NOON + HOUR)) == ["conflict"]
    assert ledger.cells() == once


async def test_a_completion_keeps_the_overflow_of_its_pending_event(
    open_ledger: OpenLedger,
) -> None:
    ledger = await open_ledger(LedgerLimits(users_per_day=1, billing_codes=1))
    await ledger.apply(measured("other"), pending(user="bob", billing_code="CC-2"))
    _, [_, user] = await cells_after(ledger, completion(user="alice"))
    assert (user.billing_code, user.user, user.sku.provenance) == ("CC-1001", "alice", "measured")


async def test_old_pairs_are_forgotten(open_ledger: OpenLedger) -> None:
    ledger = await open_ledger(LedgerLimits(memory_s=0.05))
    await ledger.apply(pending())
    await asyncio.sleep(0.1)
    now = NOON + DAY
    assert await ledger.apply(completion(time=now), now=now) == ["applied"]


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
