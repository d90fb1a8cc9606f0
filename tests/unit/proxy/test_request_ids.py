"""The ids that trusted callers choose: no two events of different requests may bear one."""

from __future__ import annotations

import asyncio

from gateways import ask, gateway
from proxying import (
    TRUSTED_KEY,
    FakeAnswer,
    FakeUpstream,
    RecordingSink,
    completion,
    directory,
    request,
)

from tollgate.proxy.concurrency import Concurrency

CHOSEN = request(
    headers=(
        ("api-key", TRUSTED_KEY),
        ("x-tollgate-request-id", "0f-1"),
        ("x-tollgate-subscription", "sub-42"),
    )
)


async def test_two_requests_under_way_never_share_an_id() -> None:
    first_answers, concurrency, sink = asyncio.Event(), Concurrency(), RecordingSink()
    upstream = FakeUpstream(first_answers, *[FakeAnswer(completion()) for _ in range(3)])
    known = directory(new_id=lambda: "ours", under_way=concurrency.ids)
    behind = gateway(upstream, sink, known=known, concurrency=concurrency)
    first = asyncio.create_task(ask(behind, CHOSEN))
    while not upstream.sent:  # noqa: ASYNC110  nothing tells of it
        await asyncio.sleep(0)
    await ask(behind, CHOSEN)
    first_answers.set()
    await first
    await ask(behind, CHOSEN)
    assert [event.id for event in sink.events] == ["ours", "0f-1", "0f-1"]
