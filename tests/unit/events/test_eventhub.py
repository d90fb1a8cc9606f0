from __future__ import annotations

from asyncio import create_task, sleep, timeout
from collections import Counter
from collections.abc import AsyncGenerator, Iterator
from contextlib import suppress
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError
from azure.eventhub import EventData, EventDataBatch
from azure.eventhub.aio import EventHubProducerClient
from builders import raw_event
from eventhubs.broker import Broker
from eventhubs.clients import (
    HUB,
    LEAVES_SOCKETS,
    PARTITIONS,
    TIMEOUT_S,
    collect_sockets,
    publishing,
)
from eventhubs.faults import TIMEOUT, TOO_LARGE, Detach, Drop, Fault, Refuse, Slow
from eventhubs.hub import StoredEvent

from tollgate.errors import PublishFailed
from tollgate.events.eventhub import CONTENT_TYPE, MAX_KEY_BYTES, EventHubPublisher, partition_key

BASIC_TIER_BYTES = 256 * 1024


pytestmark = pytest.mark.asyncio(loop_scope="module")  # the SDK takes half a second to connect


@pytest.fixture(scope="module")
def running_broker() -> Iterator[Broker]:
    with Broker({HUB: PARTITIONS}, max_message_bytes=BASIC_TIER_BYTES) as broker:
        yield broker


@pytest.fixture
def broker(running_broker: Broker) -> Broker:
    running_broker.clear()
    return running_broker


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def publisher(running_broker: Broker) -> AsyncGenerator[EventHubPublisher]:
    async with publishing(running_broker) as publisher:
        yield publisher


def ids(stored: list[StoredEvent]) -> list[str]:
    return [msgspec.json.decode(event.body)["id"] for event in stored]


async def test_a_message_is_one_event_byte_for_byte_with_its_tenant_as_the_key(
    broker: Broker, publisher: EventHubPublisher
) -> None:
    events = [raw_event(f"req-{number}", tenant=f"tenant-{number % 2}") for number in range(6)]
    assert await publisher.publish(events) == []
    stored = broker.events(HUB)
    assert sorted(event.body for event in stored) == sorted(events)
    assert {event.content_type for event in stored} == {CONTENT_TYPE}
    for event in stored:
        assert event.key == msgspec.json.decode(event.body)["data"]["tenant"]


async def test_a_tenants_events_are_in_one_partition_in_order(
    broker: Broker, publisher: EventHubPublisher
) -> None:
    for number in range(0, 40, 4):
        tenants = [f"tenant-{tenant}" for tenant in range(4)]
        await publisher.publish([raw_event(f"{number:03}", tenant=tenant) for tenant in tenants])
    for tenant in range(4):
        stored = [event for event in broker.events(HUB) if event.key == f"tenant-{tenant}"]
        assert len({event.partition_id for event in stored}) == 1
        assert ids(stored) == [f"{number:03}" for number in range(0, 40, 4)]


async def test_a_tenants_events_go_in_one_message_as_far_as_they_fit(
    broker: Broker, publisher: EventHubPublisher
) -> None:
    await publisher.publish([raw_event(f"req-{number}") for number in range(100)])
    assert broker.messages == 1
    await publisher.publish([padded(f"req-{number}", 100_000) for number in range(5)])
    assert broker.messages == 1 + 3


async def test_requests_have_their_turn_while_a_large_batch_is_encoded(
    publisher: EventHubPublisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns, add = 0, EventDataBatch.add
    at_turn: list[int] = []

    async def take_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await sleep(0)

    def noting(batch: EventDataBatch, event: EventData) -> None:
        at_turn.append(turns)
        add(batch, event)

    monkeypatch.setattr(EventDataBatch, "add", noting)
    others = create_task(take_turns())
    await publisher.publish([raw_event(f"req-{number}") for number in range(100)])
    others.cancel()
    assert len(at_turn) == 100
    assert max(Counter(at_turn).values()) <= 16


def padded(event_id: str, size: int) -> bytes:
    event = raw_event(event_id)
    return event[:-1] + b',"padding":"' + b"x" * (size - len(event) - 13) + b'"}'


async def test_an_event_that_is_too_large_is_refused_and_says_how_large_it_is(
    broker: Broker, publisher: EventHubPublisher, caplog: pytest.LogCaptureFixture
) -> None:
    too_large = padded("req-1", BASIC_TIER_BYTES)
    events = [raw_event("req-0"), too_large, raw_event("req-2")]
    assert await publisher.publish(events) == [too_large]
    assert ids(broker.events(HUB)) == ["req-0", "req-2"]
    assert "takes 262144 bytes a message, but an event has 262144" in caplog.text


async def test_what_the_hub_finds_too_large_all_the_same_goes_in_parts(
    broker: Broker, publisher: EventHubPublisher
) -> None:
    events = [raw_event(f"req-{number}") for number in range(3)]
    batch, half, twice = (Refuse(TOO_LARGE),) * 2, (Refuse(TOO_LARGE),) * 2, 2
    broker.faults.sends.extend([*batch, *half])  # the SDK tries each of them twice
    assert await publisher.publish(events) == [events[0]]
    assert ids(broker.events(HUB)) == ["req-1", "req-2"]
    assert broker.messages == twice + twice + 1


async def test_what_is_no_cloud_event_is_refused_and_one_of_no_tenant_has_no_key(
    broker: Broker, publisher: EventHubPublisher
) -> None:
    nobodys = b'{"specversion":"1.0","id":"1","source":"/g","type":"t"}'
    spoilt = [b"rubbish", b"[]", b'{"id": "1"}', b"\xff"]
    assert await publisher.publish([*spoilt, nobodys]) == spoilt
    (stored,) = broker.events(HUB)
    assert (stored.body, stored.key) == (nobodys, None)


async def test_a_key_is_never_longer_than_a_hub_takes_it_and_two_tenants_have_two() -> None:
    fits = "x" * MAX_KEY_BYTES
    assert partition_key(raw_event(tenant=fits)) == fits
    keys = [partition_key(raw_event(tenant=fits + end)) for end in "ab"]
    assert len({*keys}) == 2
    assert all(key and len(key) <= MAX_KEY_BYTES for key in keys)
    wide = partition_key(raw_event(tenant="雪" * 64))
    assert wide is not None
    assert len(wide.encode()) <= MAX_KEY_BYTES


FAULTS: list[Fault] = [
    Refuse(),
    Refuse(TIMEOUT),
    Refuse("amqp:internal-error"),
    Detach(),
    Detach("amqp:internal-error"),
    Drop(stored=False),
    Drop(stored=True),
    Slow(0.05),
]


@pytest.mark.filterwarnings(LEAVES_SOCKETS)
async def test_no_passing_fault_loses_anything(
    broker: Broker, publisher: EventHubPublisher
) -> None:
    sent: list[bytes] = []
    for fault in FAULTS:
        events = [raw_event(f"{fault}-{number}", tenant=f"t-{number}") for number in range(3)]
        broker.faults.sends.append(fault)
        assert await publisher.publish(events) == []
        sent += events
    assert {event.body for event in broker.events(HUB)} == {*sent}
    assert not broker.faults.sends
    collect_sockets()


async def test_a_fault_that_lasts_is_told_and_what_went_through_is_sent_again(
    broker: Broker,
) -> None:
    events = [raw_event(f"req-{number}", tenant=f"tenant-{number}") for number in range(3)]
    async with publishing(broker, retry_total=0) as publisher:
        broker.faults.sends.extend([Slow(0), Refuse(), Refuse()])
        with pytest.raises(PublishFailed, match=r"Event Hub: EventDataSendError \(server-busy\)"):
            await publisher.publish(events)
        assert [event.body for event in broker.events(HUB)] == events[:1]
        assert await publisher.publish(events) == []
    stored = [event.body for event in broker.events(HUB)]
    assert sorted(stored) == sorted([events[0], *events])


async def test_a_hub_that_does_not_answer_is_left_and_asked_anew(broker: Broker) -> None:
    event = raw_event("req-1")
    broker.faults.sends.append(Slow(60))
    async with publishing(broker, timeout_s=1.5) as publisher:
        with pytest.raises(PublishFailed, match=r"no answer in 1\.5 s"):
            await publisher.publish([event])
        async with timeout(TIMEOUT_S):
            await sent_in_the_end(publisher, event)
    assert {stored.body for stored in broker.events(HUB)} == {event}


async def sent_in_the_end(publisher: EventHubPublisher, event: bytes) -> None:
    while True:
        with suppress(PublishFailed):
            assert await publisher.publish([event]) == []
            return


@pytest.mark.parametrize(
    ("where", "what", "told"),
    [
        ("attaches", "amqp:unauthorized-access", "Event Hub: "),
        ("attaches", "com.microsoft:server-busy", "Event Hub: "),
        ("tokens", 401, "AuthenticationError"),
    ],
)
async def test_a_hub_that_does_not_let_us_in_is_told(
    broker: Broker, where: str, what: Any, told: str
) -> None:
    getattr(broker.faults, where).extend([what] * 3)
    async with publishing(broker, retry_total=0) as publisher:
        with pytest.raises(PublishFailed, match=told):
            await publisher.publish([raw_event("req-1")])
    assert broker.events(HUB) == []


async def test_a_hub_that_is_not_there_is_told(broker: Broker) -> None:
    def elsewhere() -> EventHubProducerClient:
        connection = broker.connection_string("no-such-hub")
        return EventHubProducerClient.from_connection_string(connection, retry_total=0)

    publisher = EventHubPublisher(elsewhere, TIMEOUT_S)
    with pytest.raises(PublishFailed, match=r"ConnectError \(not-found\)"):
        await publisher.publish([raw_event("req-1")])
    await publisher.close()


class NoIdentity:
    async def get_token(self, *_: str, **__: Any) -> AccessToken:
        raise ClientAuthenticationError("no managed identity here")

    async def close(self) -> None:
        pass


async def test_an_identity_that_gives_no_token_is_told_without_its_words(broker: Broker) -> None:
    def with_identity() -> EventHubProducerClient:
        address = f"127.0.0.1:{broker.port}"
        return EventHubProducerClient(address, HUB, NoIdentity(), retry_total=0, use_tls=False)  # pyright: ignore[reportArgumentType]  it has what is used

    publisher = EventHubPublisher(with_identity, TIMEOUT_S)
    with pytest.raises(PublishFailed) as caught:
        await publisher.publish([raw_event("req-1")])
    assert "managed identity" not in str(caught.value)
    await publisher.close()


async def test_nothing_is_nothing_and_closing_what_was_never_opened_does_nothing(
    broker: Broker,
) -> None:
    async with publishing(broker) as publisher:
        assert await publisher.publish([]) == []
    assert broker.tokens == []
