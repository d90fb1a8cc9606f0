"""What every publisher does, whatever broker it speaks to."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import msgspec
import pytest
import pytest_asyncio
from azure.core.credentials import AzureKeyCredential
from azure.eventgrid.aio import EventGridPublisherClient
from builders import raw_event
from eventhubs.broker import Broker
from eventhubs.clients import HUB, LEAVES_SOCKETS, PARTITIONS, collect_sockets, publishing
from eventhubs.faults import Refuse
from topics import PATH, TOPIC_KEY, Topic

from tollgate.errors import PublishFailed
from tollgate.events.eventgrid import EventGridPublisher
from tollgate.events.eventhub import EventHubPublisher
from tollgate.events.several_brokers import SeveralBrokers
from tollgate.local.servers import serving
from tollgate.usage.event import decode_event

MAX_BYTES = 100_000  # of a message
MANY = 3 * 4  # attempts of any SDK for one batch, and some more


class GridWorld:
    def __init__(self, topic: Topic, publisher: EventGridPublisher) -> None:
        self.topic = topic
        self.publisher = publisher
        topic.refuses = lambda events: 413 * (len(msgspec.json.encode(events)) > MAX_BYTES)

    def taken(self) -> list[bytes]:
        return [msgspec.json.encode(event) for event in self.topic.events]

    def fail(self, times: int) -> None:
        self.topic.answers = [503] * times

    def recover(self) -> None:
        self.topic.answers = []


class HubWorld:
    def __init__(self, broker: Broker, publisher: EventHubPublisher) -> None:
        self.broker = broker
        self.publisher = publisher

    def taken(self) -> list[bytes]:
        return [event.body for event in self.broker.events(HUB)]

    def fail(self, times: int) -> None:
        self.broker.faults.sends.extend([Refuse()] * times)

    def recover(self) -> None:
        self.broker.faults.sends.clear()


class BothWorld:
    """Either alone fails; what both have taken counts."""

    def __init__(self, grid: GridWorld, hub: HubWorld) -> None:
        self.grid = grid
        self.hub = hub
        self.publisher = SeveralBrokers([grid.publisher, hub.publisher])

    def taken(self) -> list[bytes]:
        assert sorted(ids(self.grid.taken())) == sorted(ids(self.hub.taken()))
        return self.grid.taken()

    def fail(self, times: int) -> None:
        self.grid.fail(times)
        self.hub.fail(times)

    def recover(self) -> None:
        self.grid.recover()
        self.hub.recover()


@asynccontextmanager
async def publishing_to_grid(url: str) -> AsyncGenerator[EventGridPublisher]:
    publisher = EventGridPublisher(
        lambda hook: EventGridPublisherClient(
            f"{url}{PATH}",
            AzureKeyCredential(TOPIC_KEY),
            retry_backoff_factor=0,
            retry_total=1,
            raw_request_hook=hook,
        )
    )
    yield publisher
    await publisher.close()


World = GridWorld | HubWorld | BothWorld


pytestmark = pytest.mark.asyncio(loop_scope="module")  # the SDK takes half a second to connect


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def both() -> AsyncGenerator[BothWorld]:
    topic = Topic()
    with Broker({HUB: PARTITIONS}, max_message_bytes=MAX_BYTES) as broker:
        async with (
            serving(topic.app) as url,
            publishing(broker, retry_total=1) as to_hub,
            publishing_to_grid(url) as to_grid,
        ):
            yield BothWorld(GridWorld(topic, to_grid), HubWorld(broker, to_hub))


@pytest.fixture(params=["event grid", "event hub", "both"])
def world(both: BothWorld, request: pytest.FixtureRequest) -> World:
    both.grid.topic.batches.clear()
    both.hub.broker.clear()
    both.recover()
    return {"event grid": both.grid, "event hub": both.hub, "both": both}[request.param]


def ids(events: list[bytes]) -> list[str]:
    return [decode_event(event).event.id for event in events]


def padded(event_id: str, size: int) -> bytes:
    event = raw_event(event_id)
    return event[:-1] + b',"padding":"' + b"x" * (size - len(event) - 13) + b'"}'


async def test_every_event_arrives_once_with_its_key_and_body(world: World) -> None:
    sent = [raw_event(f"req-{n}", tenant=f"tenant-{n % 3}", user="Zoë 雪") for n in range(50)]
    assert await world.publisher.publish(sent) == []
    arrived = {decode_event(event).key: decode_event(event).body for event in world.taken()}
    assert arrived == {decode_event(event).key: decode_event(event).body for event in sent}
    assert len(world.taken()) == len(sent)


async def test_an_event_that_is_given_twice_at_once_is_sent_once(world: World) -> None:
    await world.publisher.publish([raw_event("req-1"), raw_event("req-1")])
    assert ids(world.taken()) == ["req-1"]


async def test_nothing_to_send_is_no_failure(world: World) -> None:
    assert await world.publisher.publish([]) == []
    assert world.taken() == []


async def test_what_no_broker_would_take_is_given_back_and_its_neighbours_go_out(
    world: World,
) -> None:
    bad = [b"rubbish", b"[]", b'{"id": "1"}', b"\xff", padded("req-0", MAX_BYTES + 1)]
    good = [raw_event("req-1"), raw_event("req-2")]
    refused = await world.publisher.publish([good[0], *bad, good[1]])
    assert sorted(refused) == sorted(bad)
    assert sorted(ids(world.taken())) == ["req-1", "req-2"]


async def test_what_is_too_much_for_one_message_goes_in_several(world: World) -> None:
    events = [padded(f"req-{number}", MAX_BYTES // 3) for number in range(8)]
    assert await world.publisher.publish(events) == []
    assert sorted(ids(world.taken())) == [f"req-{number}" for number in range(8)]


@pytest.mark.filterwarnings(LEAVES_SOCKETS)
async def test_a_broker_that_fails_is_told_and_gets_everything_later(world: World) -> None:
    events = [raw_event(f"req-{number}", tenant=f"tenant-{number}") for number in range(3)]
    world.fail(MANY)
    with pytest.raises(PublishFailed):
        await world.publisher.publish(events)
    world.recover()
    assert await world.publisher.publish(events) == []
    assert {*ids(world.taken())} == {"req-0", "req-1", "req-2"}
    collect_sockets()
