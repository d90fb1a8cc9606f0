"""The hub's trigger on batches as the worker decodes them from the host."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from datetime import datetime
from types import SimpleNamespace

import azure.functions as func
import pytest
from azure.functions import meta
from builders import raw_event
from counts import requests_counted
from eventhubs.triggered import decoded, delivered

from tollgate.errors import SettingsError, StoreUnavailable
from tollgate.events.dead_letters import DeadLetter
from tollgate.functions import usage_event_hub as module
from tollgate.functions.usage_event_hub import usage_event_hub
from tollgate.intake_runtime import IntakeRuntime
from tollgate.ledger.redis_ledger import RedisLedger
from tollgate.settings import read_environment
from tollgate.usage.event import ReceivedEvent

pytest_plugins = ["servers"]


async def _letters() -> list[DeadLetter]:
    async with IntakeRuntime(read_environment()) as runtime:
        return await runtime.dead_letters.all()


async def test_the_worker_gives_the_bodies_as_they_were_sent(redis_url: str) -> None:
    events = delivered(raw_event("req-1"), raw_event("req-2"))
    assert all(isinstance(event, func.EventHubEvent) for event in events)
    assert [event.partition_key for event in events] == ["contoso"] * 2
    assert [event.get_body() for event in events] == [raw_event("req-1"), raw_event("req-2")]
    await usage_event_hub(events)
    assert requests_counted(redis_url) == 2


async def test_a_batch_of_texts_or_of_json_is_counted_too(redis_url: str) -> None:
    text = raw_event("req-1").decode()
    await usage_event_hub(
        decoded(meta.Datum(SimpleNamespace(string=[text]), "collection_string"), 1)
    )
    batch = json.dumps([json.loads(raw_event("req-2"))])
    await usage_event_hub(decoded(meta.Datum(batch, "json"), 1))
    assert requests_counted(redis_url) == 2


async def test_a_batch_that_comes_twice_is_counted_once(redis_url: str) -> None:
    batch = [raw_event(f"req-{number}") for number in range(5)]
    await usage_event_hub(delivered(*batch[:3]))
    await usage_event_hub(delivered(*batch, b"[" + b",".join(batch) + b"]"))
    assert requests_counted(redis_url) == 5


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b"", "truncated"),
        (b"\xff rubbish", "malformed"),
        (gzip.compress(raw_event("req-9")), "malformed"),
        (b"[" * 100_000, "Expected `object`"),
        (b'{"id": "req-9"}', "missing required field"),
        (raw_event("req-9").replace(b"usage.v1", b"usage.v2"), "Invalid enum value"),
        (b'{"id": "' + b"x" * 1_000_000 + b'"}', "more than the limit"),
        (raw_event("req-9").replace(b"contoso", b"con\\u0000toso"), "control characters"),
    ],
)
async def test_a_bad_event_is_kept_with_its_reason_and_its_neighbours_are_counted(
    redis_url: str, bad: bytes, reason: str
) -> None:
    await usage_event_hub(delivered(raw_event("req-1"), bad, raw_event("req-2")))
    (letter,) = await _letters()
    kept = bad if len(bad) <= 1_000_000 else bad[:65_536]  # what no replay could help is cut
    assert (letter.body, letter.source) == (kept, "event-hub")
    assert reason in letter.reason
    assert requests_counted(redis_url) == 2


async def test_a_name_full_of_syntax_does_not_reach_another_tenants_cells(redis_url: str) -> None:
    names = ["a}:{b", "{contoso}", "contoso\\u007d", 'x":"y', "*", "a b\\tc"]
    await usage_event_hub(delivered(*[raw_event("req-1", tenant=name) for name in names]))
    counted = requests_counted(redis_url)
    assert counted + len(await _letters()) == len(names)


async def test_an_event_that_meets_a_bug_is_kept_and_its_neighbours_are_counted(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply = RedisLedger.apply

    async def buggy(
        self: RedisLedger, events: Sequence[ReceivedEvent], *, now: datetime
    ) -> Sequence[str]:
        if any(event.event.id == "req-bug" for event in events):
            raise TypeError("a bug")
        return await apply(self, events, now=now)

    monkeypatch.setattr(RedisLedger, "apply", buggy)
    events = [raw_event(event_id) for event_id in ("req-1", "req-bug", "req-2")]
    await usage_event_hub(delivered(*events))
    (letter,) = await _letters()
    assert (letter.body, letter.reason) == (events[1], "bug: TypeError; the log says more")
    assert requests_counted(redis_url) == 2


async def test_a_message_that_meets_a_bug_is_one_event_and_its_neighbours_are_counted(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def buggy(body: bytes) -> list[bytes]:
        return [body] if b"req-1" in body else 1 / 0  # pyright: ignore[reportReturnType]  a bug

    monkeypatch.setattr(module, "split_payload", buggy)
    await usage_event_hub(delivered(raw_event("req-1"), raw_event("req-2"), b"rubbish"))
    assert requests_counted(redis_url) == 2
    assert [letter.body for letter in await _letters()] == [b"rubbish"]


@pytest.mark.usefixtures("opened")
async def test_a_redis_that_is_away_is_raised_for_the_retry_policy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tollgate.intake_runtime._CHECK_S", 0.01)
    monkeypatch.setenv("TOLLGATE_REDIS_URL", "redis://127.0.0.1:1")
    with pytest.raises(StoreUnavailable):
        await usage_event_hub(delivered(b"rubbish", raw_event("req-1")))


@pytest.mark.usefixtures("opened")
async def test_a_redis_that_is_not_named_is_raised_for_the_retry_policy_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("TOLLGATE_REDIS_URL", raising=False)
    with pytest.raises(SettingsError):
        await usage_event_hub(delivered(raw_event("req-1")))
