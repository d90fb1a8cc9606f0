"""The broker of the tests' own, with the real SDK: what it is trusted for elsewhere."""

from __future__ import annotations

import asyncio
import datetime as dt
import ssl
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.eventhub import (
    EventData,
    EventHubConsumerClient,
    EventHubProducerClient,
    TransportType,
)
from azure.eventhub.aio import EventHubProducerClient as AsyncProducer
from azure.eventhub.exceptions import ConnectError, EventDataSendError, EventHubError
from certificates import signed_by_itself
from eventhubs.broker import Broker
from eventhubs.clients import (
    HUB,
    LEAVES_SOCKETS,
    PARTITIONS,
    TIMEOUT_S,
    body_of,
    collect_sockets,
    consumed,
    consumer,
    producer,
)

pytestmark = pytest.mark.integration


@pytest.fixture
def broker() -> Iterator[Broker]:
    with Broker({HUB: PARTITIONS}) as broker:
        yield broker


def sync_producer(broker: Broker, **options: Any) -> EventHubProducerClient:
    quick: dict[str, Any] = {"retry_backoff_factor": 0.001, "socket_timeout": 0.02, **options}
    return EventHubProducerClient.from_connection_string(broker.connection_string(HUB), **quick)


def sync_consumed(broker: Broker, count: int, partition_id: str) -> list[EventData]:
    found: list[EventData] = []
    connection = broker.connection_string(HUB)
    client = EventHubConsumerClient.from_connection_string(
        connection, "$Default", socket_timeout=0.02
    )

    def on_event(_: Any, event: EventData | None) -> None:
        if event is not None:
            found.append(event)
        if len(found) == count:
            threading.Thread(target=client.close).start()

    client.receive(on_event, partition_id=partition_id, starting_position="-1")
    return found


def test_the_sync_sdk_sends_and_reads_events_with_all_that_they_carry(broker: Broker) -> None:
    sent = EventData(b"one")
    sent.properties = {"colour": "blue"}
    sent.content_type, sent.message_id = "text/plain", "m-1"
    with sync_producer(broker) as client:
        assert client.get_partition_ids() == [*"01234"]
        client.send_event(sent, partition_key="contoso")
        (stored,) = broker.events(HUB)
        batch = client.create_batch(partition_id=stored.partition_id)
        batch.add(EventData(b"two"))
        batch.add(EventData(b"three"))
        client.send_batch(batch)
        last = client.get_partition_properties(stored.partition_id)
    assert (last["last_enqueued_sequence_number"], last["is_empty"]) == (2, False)
    read = {event.body_as_str(): event for event in sync_consumed(broker, 3, stored.partition_id)}
    one = read["one"]
    assert (one.partition_key, one.content_type, one.message_id) == (
        b"contoso",
        "text/plain",
        "m-1",
    )
    assert one.properties == {b"colour": b"blue"}
    assert [read[body].sequence_number for body in ("two", "three")] == [1, 2]
    assert one.enqueued_time is not None


async def test_the_async_sdk_sends_a_megabyte(broker: Broker) -> None:
    async with producer(broker) as client:
        batch = await client.create_batch(partition_key="contoso")
        batch.add(EventData(b"x" * 1_000_000))
        with pytest.raises(ValueError, match="reached its size limit"):
            batch.add(EventData(b"x" * 50_000))
        await client.send_batch(batch)
    assert [len(event.body) for event in broker.events(HUB)] == [1_000_000]


async def test_the_buffered_producer_sends_by_itself(broker: Broker) -> None:
    told: list[str | None] = []

    async def on_success(_: Any, partition_id: str | None) -> None:
        told.append(partition_id)

    async def on_error(*problem: Any) -> None:
        raise AssertionError(problem)

    options: dict[str, Any] = {
        "buffered_mode": True,
        "on_success": on_success,
        "on_error": on_error,
    }
    async with producer(broker, **options) as client:
        for number in range(10):
            await client.send_event(EventData(b"%d" % number), partition_id=str(number % 2))
    assert {*told} == {"0", "1"}
    assert sorted(int(event.body) for event in broker.events(HUB)) == [*range(10)]


async def test_events_without_a_key_go_round(broker: Broker) -> None:
    async with producer(broker) as client:
        for number in range(PARTITIONS):
            await client.send_event(EventData(b"%d" % number))
    assert [event.partition_id for event in broker.events(HUB)] == [*"01234"]


async def test_a_consumer_begins_where_it_asks_to_and_gets_all_within_its_credit(
    broker: Broker,
) -> None:
    for partition in ("0", "1", "2", "3"):
        for number in range(5):
            broker.put(HUB, str(number).encode() * 200_000, partition=partition)
    third = broker.events(HUB)[2]
    long_ago = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
    broker.put(HUB, b"before", partition="4")
    starts = {
        "4": "@latest",
        "0": "-1",
        "1": str(third.offset),
        "2": third.sequence_number,
        "3": long_ago,
    }
    events = await consumed(broker, 5 + 2 + 2 + 5, starting_position=starts, prefetch=2)
    read = [body_of(event) for event in events]
    assert {body[:1] for body in read if len(body) == 200_000} == {b"0", b"1", b"2", b"3", b"4"}
    assert Counter(body[:1] for body in read) == {b"0": 2, b"1": 2, b"2": 2, b"3": 4, b"4": 4}


@pytest.mark.filterwarnings(LEAVES_SOCKETS)
async def test_a_consumer_whose_connection_breaks_off_goes_on_where_it_was(broker: Broker) -> None:
    broker.put(HUB, b"0", partition="0")

    def drop_once(seen: int) -> None:
        if seen == 1:
            broker.drop_connections()
            broker.put(HUB, b"1", partition="0")

    events = await consumed(broker, 2, partition_id="0", each=drop_once)
    assert [body_of(event) for event in events] == [b"0", b"1"]
    collect_sockets()


async def test_a_reader_with_a_higher_owner_level_takes_the_partition_over(broker: Broker) -> None:
    broker.put(HUB, b"0", partition="0")
    told: list[Exception] = []
    came, left = asyncio.Event(), asyncio.Event()

    async def on_event(*_: Any) -> None:
        came.set()

    async def on_error(_: Any, error: Exception) -> None:
        told.append(error)
        left.set()

    options: dict[str, Any] = {"partition_id": "0", "starting_position": "-1"}
    readers = [consumer(broker, retry_total=0), consumer(broker)]
    reading: list[asyncio.Task[None]] = []
    async with asyncio.timeout(TIMEOUT_S):
        for level, (reader, step) in enumerate(zip(readers, (came, left), strict=True), 1):
            receiving = reader.receive(on_event, owner_level=level, on_error=on_error, **options)
            reading.append(asyncio.create_task(receiving))
            await step.wait()
        await asyncio.gather(*(reader.close() for reader in readers))
    for task in reading:
        task.cancel()
    await asyncio.gather(*reading, return_exceptions=True)
    assert "link:stolen" in str(told[0])


async def test_what_is_not_there_or_refused_is_told_to_the_sdk(broker: Broker) -> None:
    async with producer(broker, retry_total=0) as client:
        with pytest.raises(ConnectError, match="Invalid partition 9"):
            await client.send_event(EventData(b""), partition_id="9")
        with pytest.raises(EventDataSendError, match="LinkMessageSizeExceeded"):
            await client.send_event(EventData(b"x" * 1_100_000))
        broker.faults.readings.extend([503, 503])
        with pytest.raises(EventHubError):
            await client.get_eventhub_properties()
    assert broker.events(HUB) == []


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    return signed_by_itself(tmp_path)


@pytest.fixture
def secure(certificate: Path) -> Iterator[Broker]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with Broker({HUB: 1}, tls=context) as broker:
        yield broker


def secure_options(broker: Broker, certificate: Path) -> dict[str, Any]:
    """Leads the SDK to the broker's port, where it checks the certificate."""
    return {
        "conn_str": broker.connection_string(HUB).replace("UseDevelopmentEmulator=true;", ""),
        "custom_endpoint_address": f"sb://127.0.0.1:{broker.port}",
        "transport_type": TransportType.Amqp,
        "connection_verify": str(certificate),
        "retry_total": 0,
    }


def test_the_sync_sdk_speaks_tls_with_it(secure: Broker, certificate: Path) -> None:
    options = secure_options(secure, certificate)
    with EventHubProducerClient.from_connection_string(**options) as client:
        client.send_event(EventData(b"secret"))
    assert [event.body for event in secure.events(HUB)] == [b"secret"]


async def test_the_async_sdk_speaks_tls_with_it(secure: Broker, certificate: Path) -> None:
    options = secure_options(secure, certificate)
    async with AsyncProducer.from_connection_string(**options) as client:
        await client.send_event(EventData(b"secret"))
    assert [event.body for event in secure.events(HUB)] == [b"secret"]
