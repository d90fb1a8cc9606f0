"""From the gateway's journal to the cells by an event hub: the real SDK both ways, a real Redis."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path

import msgspec
import pytest
from azure.core.credentials import AzureKeyCredential
from azure.eventgrid.aio import EventGridPublisherClient
from azure.eventhub import EventData
from builders import event_grid_event, raw_event
from counts import OCTOBER, emptied, requests_counted
from eventhubs.broker import Broker
from eventhubs.clients import (
    HUB,
    LEAVES_SOCKETS,
    PARTITIONS,
    TIMEOUT_S,
    body_of,
    collect_sockets,
    consumed,
    publishing,
)
from eventhubs.faults import TIMEOUT, Detach, Drop, Fault, Refuse, Slow
from eventhubs.triggered import delivered
from topics import PATH, TOPIC_KEY, Topic

from tollgate.connections.redis import open_redis_sync
from tollgate.errors import PublishFailed
from tollgate.events.drain import Drain
from tollgate.events.eventgrid import EventGridPublisher
from tollgate.events.journal import Journal
from tollgate.events.several_brokers import SeveralBrokers
from tollgate.events.webhook import receive
from tollgate.functions.runtime import shared
from tollgate.functions.usage_event_hub import usage_event_hub
from tollgate.ledger.redis_reader import RedisReader
from tollgate.local.servers import serving
from tollgate.usage.event import decode_event
from tollgate.usage.tokens import Tokens

pytestmark = pytest.mark.integration
pytest_plugins = ["servers"]

TENANTS = 5
FAULTS: list[Fault] = [
    Refuse(),
    Refuse(TIMEOUT),
    Detach(),
    Drop(stored=False),
    Drop(stored=True),
    Slow(0.001),
]
Tally = dict[tuple[str, str], int]


@pytest.fixture
def broker() -> Iterator[Broker]:
    with Broker({HUB: PARTITIONS}) as broker:
        yield broker


@pytest.fixture
async def redis_url(redis_server: str, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[str]:
    """An empty ledger, named in the environment as the trigger finds it."""
    url = emptied(f"{redis_server}/11")
    monkeypatch.setenv("TOLLGATE_REDIS_URL", url)
    yield url
    await shared.close()


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with closing(Journal(tmp_path)) as journal:
        yield journal


def seeded(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311  a test repeats


def events_of(seed: random.Random, count: int) -> list[bytes]:
    """Usage of several tenants, some of it large."""
    return [
        raw_event(
            f"req-{number}",
            tenant=f"tenant-{seed.randrange(TENANTS)}",
            tokens=Tokens(input=seed.randrange(1, 9999), output=seed.randrange(1, 999)),
        )
        for number in range(count)
    ]


def expected(events: Sequence[bytes]) -> Tally:
    """Tokens by tenant and leaf, counted apart from the ledger's code."""
    tally: Counter[tuple[str, str]] = Counter()
    for data in {*events}:
        usage = msgspec.json.decode(data)["data"]
        for leaf in ("input", "output"):
            tally[usage["tenant"], leaf] += usage["tokens"][leaf]
    return dict(tally)


def counted(redis_url: str) -> Tally:
    tally: Counter[tuple[str, str]] = Counter()
    with closing(open_redis_sync(redis_url)) as redis:
        for cell in RedisReader(redis).money_cells(OCTOBER):
            for leaf, meter in cell.usage.meters.items():
                tally[cell.tenant, leaf] += meter.quantity
    return dict(tally)


def bodies(events: Sequence[EventData]) -> list[bytes]:
    return [body_of(event) for event in events]


async def trigger(stored: Sequence[bytes], size: int = 100) -> None:
    """Hand bodies to the hub's trigger, as many at once as the host does."""
    remaining = iter(stored)
    while batch := list(islice(remaining, size)):
        await usage_event_hub(delivered(*batch))


async def test_what_the_gateway_journals_is_counted_once(
    broker: Broker, journal: Journal, redis_url: str
) -> None:
    events = events_of(seeded(1), 120)
    for event in events:
        journal.record_raw(event)
    async with publishing(broker) as publisher:
        await Drain(journal, publisher).drain_once()
    assert journal.depth == 0
    read = await consumed(broker, len(events))
    for event in read:
        tenant = decode_event(body_of(event)).event.data.tenant
        assert event.partition_key == tenant.encode()
    for _ in range(2):
        await trigger(bodies(read))
    assert requests_counted(redis_url) == len(events)
    assert counted(redis_url) == expected(events)


@pytest.mark.filterwarnings(LEAVES_SOCKETS)
async def test_no_fault_on_the_way_loses_or_doubles_anything(
    broker: Broker, journal: Journal, redis_url: str
) -> None:
    chance = seeded(5)
    events = events_of(chance, 200)
    broker.faults.sends.extend(chance.choices(FAULTS, k=10))
    async with publishing(broker, retry_total=0) as publisher:
        drain = Drain(journal, publisher, gather_s=0, first_wait_s=0.001)
        running = asyncio.create_task(drain.run())
        for event in events:
            journal.record_raw(event)
            drain.wake()
            if chance.random() < 0.05:
                await asyncio.sleep(0.001)
        async with asyncio.timeout(3 * TIMEOUT_S):
            while journal.depth:  # noqa: ASYNC110  it has no event to wait for
                await asyncio.sleep(0.01)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    stored = [event.body for event in broker.events(HUB)]
    assert {*stored} == {*events}
    twice = chance.sample(stored * 2, 2 * len(stored))
    await trigger(twice, size=37)
    assert counted(redis_url) == expected(events)
    collect_sockets()


async def test_an_event_that_comes_by_event_grid_and_by_a_hub_counts_once(
    broker: Broker, redis_url: str
) -> None:
    chance = seeded(7)
    events = events_of(chance, 60)
    topic = Topic()
    async with serving(topic.app) as url, publishing(broker) as to_hub:
        to_grid = EventGridPublisher(
            lambda hook: EventGridPublisherClient(
                f"{url}{PATH}", AzureKeyCredential(TOPIC_KEY), raw_request_hook=hook
            )
        )
        assert await SeveralBrokers([to_grid, to_hub]).publish(events) == []
        await to_grid.close()
    by_grid = [msgspec.json.encode(event) for event in topic.events]
    by_hub = bodies(await consumed(broker, len(events)))
    assert len(by_grid) == len(by_hub) == len(events)
    intake = (await shared.intake()).intake
    now = decode_event(events[0]).event.time
    for at in range(0, len(events), 10):
        either = event_grid_event if at % 20 else bytes
        await asyncio.gather(
            trigger(by_hub[at : at + 10]),
            *(receive(either(event), intake, now) for event in by_grid[at : at + 10]),
        )
    assert requests_counted(redis_url) == len(events)
    assert counted(redis_url) == expected(events)
    assert await (await shared.intake()).dead_letters.all() == []


async def test_a_gateway_that_ends_while_it_sends_leaves_the_events_in_its_journal(
    broker: Broker, journal: Journal
) -> None:
    for event in events_of(seeded(3), 20):
        journal.record_raw(event)
    async with publishing(broker) as publisher:
        broker.faults.sends.append(Slow(60))
        draining = asyncio.create_task(Drain(journal, publisher).drain_once())
        async with asyncio.timeout(TIMEOUT_S):
            while not broker.messages:  # noqa: ASYNC110  it has no event to wait for
                await asyncio.sleep(0.01)
        draining.cancel()
        with pytest.raises((asyncio.CancelledError, PublishFailed)):
            await draining
    assert journal.depth == 20
