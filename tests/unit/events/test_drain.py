from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from builders import event, raw_event

from tollgate.errors import PublishFailed
from tollgate.events import drain as drain_module
from tollgate.events.drain import Drain
from tollgate.events.journal import Journal
from tollgate.events.refused import REFUSED_FILE

PATIENCE_S = 5


class Broker:
    """Fails as told, then takes all but what it refuses."""

    def __init__(self, *failures: Exception, refuses: bytes = b"") -> None:
        self.failures = list(failures)
        self.refuses = refuses
        self.taken: list[bytes] = []
        self.calls = 0

    async def publish(self, events: Sequence[bytes]) -> list[bytes]:
        self.calls += 1
        if self.failures:
            raise self.failures.pop(0)
        self.taken += [raw for raw in events if raw != self.refuses]
        return [raw for raw in events if raw == self.refuses]


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = Journal(tmp_path)
    yield opened
    opened.close()


@asynccontextmanager
async def running(drain: Drain) -> AsyncGenerator[None]:
    task = asyncio.create_task(drain.run())
    yield
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def _emptied(journal: Journal) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while journal.depth:  # noqa: ASYNC110  it has no event to wait for
            await asyncio.sleep(0.001)


async def test_what_an_earlier_process_left_is_published_at_once(journal: Journal) -> None:
    broker = Broker()
    journal.record(event("req-1"))
    async with running(Drain(journal, broker, gather_s=0)):
        await _emptied(journal)
    assert broker.taken == [raw_event("req-1")]


async def test_it_sleeps_until_it_is_woken(journal: Journal) -> None:
    broker = Broker()
    drain = Drain(journal, broker, gather_s=0)
    async with running(drain):
        await asyncio.sleep(0.02)
        journal.record(event("req-1"))
        await asyncio.sleep(0.02)
        assert broker.calls == 0
        drain.wake()
        await _emptied(journal)
    assert broker.taken == [raw_event("req-1")]


async def test_events_that_come_together_go_out_together(journal: Journal) -> None:
    broker = Broker()
    drain = Drain(journal, broker, gather_s=0.02)
    async with running(drain):
        for number in range(5):
            journal.record(event(f"req-{number}"))
            drain.wake()
        await _emptied(journal)
    assert broker.calls == 1


async def test_a_broker_that_fails_gets_everything_in_the_end_once_and_in_order(
    journal: Journal,
) -> None:
    broker = Broker(*[PublishFailed("down")] * 4)
    expected = [raw_event(f"req-{number}") for number in range(1200)]
    for number in range(1200):
        journal.record(event(f"req-{number}"))
    async with running(Drain(journal, broker, gather_s=0, first_wait_s=0.001)):
        await _emptied(journal)
    assert broker.taken == expected
    assert broker.calls == 4 + 2  # as much as a request may hold, then the rest


async def test_it_waits_longer_after_each_failure_up_to_a_bound(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    sleep = asyncio.sleep

    async def note(seconds: float) -> None:
        waits.append(seconds)
        await sleep(0)

    monkeypatch.setattr(drain_module.asyncio, "sleep", note)
    journal.record(event("req-1"))
    async with running(Drain(journal, Broker(*[PublishFailed("down")] * 9), gather_s=0)):
        while journal.depth:
            await sleep(0)
    assert [wait for wait in waits if wait] == [0.5, 1, 2, 4, 8, 16, 32, 60, 60]


async def test_a_bug_in_one_round_does_not_end_the_publishing(
    journal: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    broker = Broker(ValueError("bug"))
    journal.record(event("req-1"))
    async with running(Drain(journal, broker, gather_s=0, first_wait_s=0.001)):
        await _emptied(journal)
    assert broker.taken == [raw_event("req-1")]
    assert "ValueError" in caplog.text


async def test_a_refused_event_is_kept_aside_and_its_neighbours_go_out(
    journal: Journal, tmp_path: Path
) -> None:
    broker = Broker(refuses=raw_event("req-1"))
    for number in range(3):
        journal.record(event(f"req-{number}"))
    await Drain(journal, broker).drain_once()
    assert broker.taken == [raw_event("req-0"), raw_event("req-2")]
    assert (tmp_path / REFUSED_FILE).read_bytes() == raw_event("req-1") + b"\n"
    assert journal.depth == 0


async def test_a_failure_leaves_everything_in_the_journal(journal: Journal) -> None:
    journal.record(event("req-1"))
    with pytest.raises(PublishFailed):
        await Drain(journal, Broker(PublishFailed("down"))).drain_once()
    assert journal.depth == 1
    assert journal.next_batch(10, 10_000).events == [raw_event("req-1")]
