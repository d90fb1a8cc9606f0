"""What the memory in front adds; the rest is in the contract of all stores."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import pytest
from builders import NOON
from stored import RESPONSE, FlakyResponses, pending_event, stored, waiting

from tollgate.errors import StoreUnavailable
from tollgate.proxy.stored_in_memory import MemoryResponses
from tollgate.proxy.stored_nearby import CachedResponses
from tollgate.proxy.stored_responses import StoredResponse


@pytest.fixture
def shared() -> FlakyResponses:
    return FlakyResponses()


def instance(shared: MemoryResponses, max_responses: int = 10, **options: Any) -> CachedResponses:
    memory = MemoryResponses(lambda: 0.0, max_responses=max_responses)
    return CachedResponses(shared, memory, **options)


async def test_what_one_instance_created_another_finds(shared: FlakyResponses) -> None:
    await instance(shared).keep(stored())
    other = instance(shared)
    assert await other.find(RESPONSE, "contoso") == stored()
    shared.is_away = True
    assert await other.find(RESPONSE, "contoso") == stored()


async def test_without_the_store_what_is_not_here_is_not_said_to_be_unknown(
    shared: FlakyResponses,
) -> None:
    store = instance(shared)
    shared.is_away = True
    with pytest.raises(StoreUnavailable):
        await store.find("resp_of_another_instance", "contoso")


async def test_what_the_store_did_not_take_is_saved_when_it_is_back(
    shared: FlakyResponses,
) -> None:
    store = instance(shared, retry_s=0.0)
    shared.is_away = True
    await store.keep(waiting())
    await store.save_unsaved()
    assert await store.find(RESPONSE, "contoso") == waiting()
    shared.is_away = False
    saving = asyncio.create_task(store.run())
    await asyncio.sleep(0.01)
    saving.cancel()
    with suppress(asyncio.CancelledError):
        await saving
    assert await instance(shared).pending(NOON, 10) == [waiting()]


async def test_an_unsaved_response_outlives_the_memory(shared: FlakyResponses) -> None:
    store = instance(shared, max_responses=1)
    shared.is_away = True
    await store.keep(waiting())
    await store.keep(stored("b"))
    assert await store.find(RESPONSE, "contoso") == waiting()
    assert await store.settle(RESPONSE, "contoso") == pending_event()
    assert await store.settle(RESPONSE, "contoso") is None


async def test_too_many_unsaved_ones_are_said(
    shared: FlakyResponses, caplog: pytest.LogCaptureFixture
) -> None:
    store = instance(shared, max_unsaved=1)
    shared.is_away = True
    await store.keep(stored("a"))
    await store.keep(stored("b"))
    assert store.never_saved == 1
    assert "response 'a' of contoso is known to this instance alone" in caplog.text


async def test_without_the_store_one_caller_settles_and_the_poll_may_repeat_it(
    shared: FlakyResponses,
) -> None:
    store = instance(shared)
    await store.keep(waiting())
    shared.is_away = True
    taken = [await store.settle(RESPONSE, "contoso") for _ in range(3)]
    assert taken == [pending_event(), None, None]
    await store.settled(RESPONSE, "contoso")
    assert await store.find(RESPONSE, "contoso") == stored()
    shared.is_away = False
    assert await instance(shared).settle(RESPONSE, "contoso") == pending_event()


async def test_what_was_settled_unsaved_is_saved_as_settled(shared: FlakyResponses) -> None:
    store = instance(shared)
    shared.is_away = True
    await store.keep(waiting())
    assert await store.settle(RESPONSE, "contoso") == pending_event()
    await store.settled(RESPONSE, "contoso")
    shared.is_away = False
    await store.save_unsaved()
    assert await instance(shared).find(RESPONSE, "contoso") == stored()
    assert await shared.pending(NOON, 10) == []


async def test_what_another_instance_settled_waits_here_no_more(shared: FlakyResponses) -> None:
    here, there = instance(shared), instance(shared)
    await here.keep(waiting())
    assert await there.settle(RESPONSE, "contoso") == pending_event()
    assert await here.settle(RESPONSE, "contoso") is None
    assert await here.find(RESPONSE, "contoso") == stored()


async def test_forgetting_works_without_the_store(shared: FlakyResponses) -> None:
    store = instance(shared)
    shared.is_away = True
    await store.keep(waiting())
    await store.forget(RESPONSE, "contoso")
    shared.is_away = False
    await store.save_unsaved()
    assert await store.find(RESPONSE, "contoso") is None


class SilentStore(MemoryResponses):
    async def keep(self, response: StoredResponse) -> None:
        await asyncio.Event().wait()
        await super().keep(response)


async def test_a_silent_store_holds_no_request_up() -> None:
    store = instance(SilentStore(lambda: 0.0), timeout_s=0.01)
    await asyncio.wait_for(store.keep(stored()), 1)
    assert await store.find(RESPONSE, "contoso") == stored()


class SlowStore(FlakyResponses):
    """Lets another task run in the middle of a write."""

    async def keep(self, response: StoredResponse) -> None:
        await super().keep(response)
        await asyncio.sleep(0)


async def test_what_changes_while_it_is_saved_is_saved_once_more() -> None:
    shared = SlowStore()
    store = instance(shared)
    shared.is_away = True
    await store.keep(waiting())
    shared.is_away = False
    await asyncio.gather(store.save_unsaved(), store.settled(RESPONSE, "contoso"))
    await store.save_unsaved()
    assert await shared.find(RESPONSE, "contoso") == stored()
