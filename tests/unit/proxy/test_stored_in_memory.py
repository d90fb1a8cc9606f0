"""What only the store in memory does; the rest is in the contract of all stores."""

from __future__ import annotations

import pytest
from builders import NOON
from proxying import FakeClock
from stored import RESPONSE, pending_event, stored, waiting

from tollgate.proxy.stored_in_memory import MemoryResponses


async def test_the_one_unused_for_longest_falls_out() -> None:
    store = MemoryResponses(lambda: 0.0, max_responses=2)
    await store.keep(stored("a"))
    await store.keep(stored("b"))
    await store.find("a", "contoso")
    await store.keep(stored("c"))
    found = [await store.find(name, "contoso") for name in "abc"]
    assert found == [stored("a"), None, stored("c")]
    assert store.dropped_pending == 0


async def test_a_pending_one_never_falls_out_silently(caplog: pytest.LogCaptureFixture) -> None:
    store = MemoryResponses(lambda: 0.0, max_responses=1)
    await store.keep(waiting("a"))
    await store.keep(stored("b"))
    assert store.dropped_pending == 1
    assert "response 'a' of contoso fell out" in caplog.text
    assert await store.pending(NOON, 10) == []
    assert await store.settle("a", "contoso") is None


async def test_a_loan_ends_by_the_clock() -> None:
    clock = FakeClock()
    store = MemoryResponses(clock.steady_s, lease_s=60)
    await store.keep(waiting())
    await store.settle(RESPONSE, "contoso")
    clock.s += 59.9
    assert await store.settle(RESPONSE, "contoso") is None
    clock.s += 0.1
    assert await store.settle(RESPONSE, "contoso") == pending_event()
