"""Laws of the ledger: what order, split and repetition can never change."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from itertools import pairwise
from typing import Any

from builders import NOON
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ledgers import Cells, Ledger, completion, measured, memory_ledger, pending, redis_ledger

from tollgate.ledger.cells import Usage
from tollgate.ledger.outcome import KeptAside, LedgerLimits, Outcome
from tollgate.usage.event import ReceivedEvent
from tollgate.usage.tokens import Tokens

pytest_plugins = ["servers"]

Batches = list[list[ReceivedEvent]]
FEW = LedgerLimits(users_per_day=2, billing_codes=2)
thorough = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)

# Hours beside each other: within a span of ids, over its edge and over midnight; and others.
times = st.sampled_from([NOON + timedelta(hours=hours) for hours in (0, 1, 3, 4, 11, 12, 13)])
tokens = st.builds(Tokens, input=st.integers(0, 10**12), output=st.integers(0, 3))
changes = st.fixed_dictionaries(
    {
        "tenant": st.sampled_from(["t", "t}:{t"]),
        "billing_code": st.sampled_from([None, "a", "b", "c"]),
        "user": st.sampled_from([None, "u", "v", "w"]),
        "model": st.sampled_from(["m", "n"]),
    }
)


@st.composite
def free_of_conflicts(draw: st.DrawFn) -> list[ReceivedEvent]:
    """Events of distinct keys; some are a pending event and its completion."""
    events: list[ReceivedEvent] = []
    for number in range(draw(st.integers(1, 6))):
        halves = draw(st.sampled_from(["measured", "pending", "completion", "both"]))
        made = draw(changes)
        if halves == "measured":
            events.append(measured(f"{number}", draw(times), tokens=draw(tokens), **made))
        if halves in ("pending", "both"):
            events.append(pending(f"{number}", draw(times), **made))
        if halves in ("completion", "both"):
            other = {**draw(changes), "tenant": made["tenant"], "tokens": draw(tokens)}
            events.append(completion(f"{number}", draw(times), **other))
    return events


@st.composite
def any_event(draw: st.DrawFn) -> ReceivedEvent:
    """An event of one of few keys, so that many are in conflict."""
    make = draw(st.sampled_from([measured, pending, completion]))
    return make(draw(st.sampled_from("123")), draw(times), **draw(changes))


@st.composite
def split(draw: st.DrawFn, events: list[ReceivedEvent]) -> Batches:
    cuts = sorted(draw(st.lists(st.integers(0, len(events)), max_size=4)))
    return [events[low:high] for low, high in pairwise([0, *cuts, len(events)])]


@st.composite
def delivered(draw: st.DrawFn) -> tuple[list[ReceivedEvent], Batches]:
    """Events, and the same in any order, repeated and split."""
    events = draw(free_of_conflicts())
    again = draw(st.lists(st.sampled_from(events), max_size=6))
    return events, draw(split(draw(st.permutations([*events, *again]))))


@st.composite
def disputed(draw: st.DrawFn) -> Batches:
    events = draw(st.lists(any_event(), min_size=1, max_size=12))
    again = draw(st.lists(st.sampled_from(events), max_size=4))
    return draw(split([*events, *again]))


@thorough
@given(delivered())
def test_any_order_split_and_repetition_gives_the_same_cells(
    redis_server: str, case: tuple[list[ReceivedEvent], Batches]
) -> None:
    events, batches = case
    expected, _, _ = asyncio.run(_played(memory_ledger(), [events]))
    assert asyncio.run(_played(memory_ledger(), batches))[0] == expected
    assert asyncio.run(_played_on_redis(redis_server, batches))[0] == expected


@thorough
@given(delivered())
def test_the_same_events_again_are_all_duplicates(
    redis_server: str, case: tuple[list[ReceivedEvent], Batches]
) -> None:
    _, batches = case
    once, _, _ = asyncio.run(_played_on_redis(redis_server, batches))
    twice, outcomes, _ = asyncio.run(_played_on_redis(redis_server, [*batches, *batches]))
    assert twice == once
    assert set(outcomes[len(outcomes) // 2 :]) == {"duplicate"}


@st.composite
def counted_and_others(draw: st.DrawFn) -> tuple[list[ReceivedEvent], Batches]:
    """Events, and later ones with the same keys, in the same hours, and other bodies."""
    events = [each for each in draw(free_of_conflicts()) if not each.event.data.completes]
    others = [
        measured(each.event.id, each.event.time, **draw(changes), status=418)
        for each in events
        for _ in range(draw(st.integers(1, 2)))
    ]
    same_payer = {each.event.id: each.event.data.tenant for each in events}
    others = [each for each in others if same_payer[each.event.id] == each.event.data.tenant]
    return events, draw(split(draw(st.permutations([*others, *events]))))


@thorough
@given(counted_and_others())
def test_a_conflict_never_changes_a_cell(
    redis_server: str, case: tuple[list[ReceivedEvent], Batches]
) -> None:
    events, others = case
    expected, _, _ = asyncio.run(_played(memory_ledger(), [events]))
    for play in (
        _played(memory_ledger(), [events, *others]),
        _played_on_redis(redis_server, [events, *others]),
    ):
        cells, outcomes, _ = asyncio.run(play)
        assert cells == expected
        assert set(outcomes[len(events) :]) <= {"conflict", "duplicate"}


@st.composite
def halves(draw: st.DrawFn) -> tuple[list[ReceivedEvent], list[ReceivedEvent]]:
    """Pending events and their completions, of the same tenant and any time."""
    made = [draw(changes) for _ in range(draw(st.integers(1, 5)))]
    first = [pending(f"{i}", draw(times), **change) for i, change in enumerate(made)]
    second = [
        completion(f"{i}", draw(times), **{**draw(changes), "tenant": change["tenant"]})
        for i, change in enumerate(made)
    ]
    return first, second


@thorough
@given(halves(), st.data())
def test_completions_in_any_order_give_the_same_cells(
    redis_server: str, case: tuple[list[ReceivedEvent], list[ReceivedEvent]], data: st.DataObject
) -> None:
    first, second = case
    expected, _, _ = asyncio.run(_played(memory_ledger(), [first, second]))
    order = data.draw(split(data.draw(st.permutations([*first, *second]))))
    assert asyncio.run(_played_on_redis(redis_server, order))[0] == expected
    assert sum(cell.usage.requests for cell in expected.money) == len(first)


@thorough
@given(disputed())
def test_money_cells_and_user_cells_have_the_same_totals(batches: Batches) -> None:
    cells, _, _ = asyncio.run(_played(memory_ledger(FEW), batches))
    money = _totals((cell.tenant, cell.hour[:10], cell.usage) for cell in cells.money)
    assert money == _totals((cell.tenant, cell.day, cell.usage) for cell in cells.users)


@thorough
@given(disputed())
def test_redis_and_its_twin_agree_on_everything(redis_server: str, batches: Batches) -> None:
    expected = asyncio.run(_played(memory_ledger(FEW), batches))
    assert asyncio.run(_played_on_redis(redis_server, batches, FEW)) == expected


async def _played_on_redis(
    url: str, batches: Batches, limits: LedgerLimits | None = None
) -> tuple[Cells, list[Outcome], list[KeptAside]]:
    async with redis_ledger(url, limits) as ledger:
        return await _played(ledger, batches)


async def _played(ledger: Ledger, batches: Batches) -> tuple[Cells, list[Outcome], list[KeptAside]]:
    outcomes: list[Outcome] = [
        outcome for batch in batches for outcome in await ledger.apply(*batch)
    ]
    tenants = ledger.reader.tenants()
    return ledger.cells(), outcomes, [ledger.reader.kept_aside(tenant) for tenant in tenants]


def _totals(usages: Any) -> Counter[tuple[str, ...]]:
    totals: Counter[tuple[str, ...]] = Counter()
    usage: Usage
    for tenant, day, usage in usages:
        totals[tenant, day] += usage.requests
        for name, meter in usage.meters.items():
            totals[tenant, day, name] += meter.quantity
            totals[tenant, day, name, "requests"] += meter.requests
    return totals
