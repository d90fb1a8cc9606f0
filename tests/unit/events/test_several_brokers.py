from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from tollgate.errors import PublishFailed
from tollgate.events.several_brokers import SeveralBrokers


class Broker:
    """Takes all but what it refuses, or fails; waits for the others to have begun."""

    def __init__(self, barrier: asyncio.Barrier, *refuses: bytes) -> None:
        self.barrier = barrier
        self.refuses = refuses
        self.failure: Exception | None = None
        self.taken: list[bytes] = []

    async def publish(self, events: Sequence[bytes]) -> list[bytes]:
        await self.barrier.wait()
        if self.failure:
            raise self.failure
        self.taken += [event for event in events if event not in self.refuses]
        return [event for event in events if event in self.refuses]


async def test_each_broker_gets_every_event_at_the_same_time() -> None:
    both = asyncio.Barrier(2)
    grid, hub = Broker(both), Broker(both)
    assert await SeveralBrokers([grid, hub]).publish([b"1", b"2"]) == []
    assert grid.taken == hub.taken == [b"1", b"2"]


async def test_what_one_of_them_refuses_is_refused_once() -> None:
    both = asyncio.Barrier(2)
    grid, hub = Broker(both, b"1", b"2"), Broker(both, b"2", b"3")
    refused = await SeveralBrokers([grid, hub]).publish([b"1", b"2", b"3", b"4"])
    assert refused == [b"1", b"2", b"3"]


@pytest.mark.parametrize("failing", [0, 1])
async def test_when_one_of_them_fails_all_is_to_be_sent_again(failing: int) -> None:
    both = asyncio.Barrier(2)
    brokers = Broker(both), Broker(both)
    several = SeveralBrokers(brokers)
    brokers[failing].failure = PublishFailed("down")
    with pytest.raises(PublishFailed, match="down"):
        await several.publish([b"1"])
    assert brokers[1 - failing].taken == [b"1"]
    brokers[failing].failure = None
    assert await several.publish([b"1"]) == []
    assert brokers[failing].taken == [b"1"]
