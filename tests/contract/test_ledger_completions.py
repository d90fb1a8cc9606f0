"""A pending event and its completion, on every ledger and in either order."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from builders import NOON
from ledgers import (
    Ledger,
    OpenLedger,
    cells_after,
    completion,
    measured,
    pending,
)

from tollgate.ledger.cells import OVERFLOW, Meter
from tollgate.ledger.outcome import LedgerLimits
from tollgate.usage.tokens import Tokens

pytest_plugins = ["servers", "certificates", "redis_clusters", "ledgers"]

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


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
    other = pending(time=NOON + HOUR)
    assert await ledger.apply(other, other) == ["conflict", "conflict"]
    assert ledger.cells() == once


async def test_a_completion_keeps_the_overflow_of_its_pending_event(
    open_ledger: OpenLedger,
) -> None:
    ledger = await open_ledger(LedgerLimits(users_per_day=1, billing_codes=1))
    await ledger.apply(measured("other"), pending(user="bob", billing_code="CC-2"))
    _, [completed, _] = await cells_after(ledger, completion(user="alice"))
    assert (completed.billing_code, completed.user) == (OVERFLOW, OVERFLOW)
    assert completed.sku.provenance == "backfilled"


async def test_old_pairs_are_forgotten(open_ledger: OpenLedger) -> None:
    ledger = await open_ledger(LedgerLimits(memory_s=0.05))
    await ledger.apply(pending())
    await asyncio.sleep(0.1)
    now = NOON + DAY
    assert await ledger.apply(completion(time=now), now=now) == ["applied"]
