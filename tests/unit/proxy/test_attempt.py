from __future__ import annotations

import asyncio

import pytest
from proxying import (
    DONE,
    ERROR,
    HELLO,
    STREAM_HEADERS,
    FakeAnswer,
    FakeClock,
    FakeUpstream,
    SlowToken,
    backend,
    chat,
    completion,
    deployment,
    route,
    sse,
    stream,
)

from tollgate.proxy.attempt import AttemptBounds, Attempts
from tollgate.proxy.deliveries import Delivery, StreamDelivery, WholeDelivery
from tollgate.proxy.pool import Target
from tollgate.proxy.ports import BackendFailed
from tollgate.proxy.prompts import read_prompt
from tollgate.proxy.routes import Route
from tollgate.proxy.upstream_requests import plan_of

ROUTE = route("/openai/deployments/gpt-4o-mini/chat/completions")
RESPONSES = route("/openai/v1/responses")
SPARE = deployment(name="spare", deployment_type="standard")
AT = Target(
    backend(deployments={"gpt-4o-mini": deployment(), "other-alias": SPARE}),
    deployment(deployment_type="provisioned"),
)


async def attempt(
    *script: FakeAnswer | BaseException | asyncio.Event,
    at: Target = AT,
    stream: bool = True,
    body: bytes | None = None,
    route: Route = ROUTE,
) -> Delivery:
    attempts = Attempts(
        FakeUpstream(*script),
        FakeClock().clock,
        AttemptBounds(first_byte_timeout_s=0.02, answer_timeout_s=0.03, max_answer_bytes=10_000),
    )
    prompt = read_prompt(route, None, body or chat(stream=stream))
    plan = plan_of(route, "gpt-4o-mini", prompt, query="", headers={})
    return await attempts.make(plan, at, 2)


async def failure(*script: FakeAnswer | BaseException | asyncio.Event) -> BackendFailed:
    with pytest.raises(BackendFailed) as failed:
        await attempt(*script)
    return failed.value


@pytest.mark.parametrize("status", [200, 400, 403, 413, 422])
async def test_an_answer_is_delivered_whole(status: int) -> None:
    answer = FakeAnswer(completion(), status=status)
    delivery = await attempt(answer)
    assert isinstance(delivery, WholeDelivery)
    assert (delivery.status, delivery.body, delivery.attempts) == (status, completion(), 2)
    assert answer.closed


@pytest.mark.parametrize(
    ("status", "may_have_cost"),
    [(302, False), (408, True), (429, False), (500, True), (503, False), (504, True), (529, True)],
)
async def test_another_backend_may_be_asked_when_this_one_fails(
    status: int,
    may_have_cost: bool,  # noqa: FBT001  drawn
) -> None:
    answer = FakeAnswer(status=status, headers=(("retry-after", "7"),))
    failed = await failure(answer)
    assert (failed.status, failed.retry_after_s, failed.may_have_cost) == (
        status,
        7,
        may_have_cost,
    )
    assert answer.closed


async def test_the_body_of_an_error_is_read_so_that_its_connection_can_be_kept() -> None:
    answer = FakeAnswer(b'{"error":', b"{}}", status=429)
    await failure(answer)
    assert await answer.next_chunk() == b""


async def test_an_error_whose_body_breaks_is_still_that_error() -> None:
    answer = FakeAnswer(BackendFailed("broken", may_have_cost=True), status=429)
    assert not (await failure(answer)).may_have_cost


@pytest.mark.parametrize("content_type", ["text/event-stream", "Text/Event-Stream; charset=UTF-8"])
async def test_a_stream_is_delivered_once_its_first_frame_is_there(content_type: str) -> None:
    answer = FakeAnswer(HELLO, DONE, headers=(("content-type", content_type),))
    delivery = await attempt(answer)
    assert isinstance(delivery, StreamDelivery)
    assert ([frame.raw for frame, _ in delivery.opening.seen], delivery.attempts) == ([HELLO], 2)
    assert not answer.closed


async def test_an_error_with_the_type_of_a_stream_is_read_whole() -> None:
    answer = FakeAnswer(b"no", status=400, headers=(("content-type", "text/event-stream"),))
    assert isinstance(await attempt(answer), WholeDelivery)


async def test_a_credential_that_does_not_come_ends_the_attempt_without_cost() -> None:
    with pytest.raises(BackendFailed, match="no credential for weu-1 within") as failed:
        await attempt(at=Target(backend(credential=SlowToken()), deployment()))
    assert not failed.value.may_have_cost


async def test_silence_before_the_headers_ends_the_attempt() -> None:
    failed = await failure(asyncio.Event())
    assert str(failed) == "weu-1 sent nothing for 0.02 s"
    assert failed.may_have_cost


async def test_an_answer_that_is_not_streamed_may_take_as_long_as_its_generation() -> None:
    with pytest.raises(BackendFailed, match=r"sent nothing for 0\.03 s"):
        await attempt(asyncio.Event(), stream=False)


async def test_silence_before_the_first_frame_ends_the_attempt() -> None:
    answer = stream(asyncio.Event())
    assert (await failure(answer)).may_have_cost
    assert answer.closed


async def test_a_body_may_take_longer_than_the_first_byte() -> None:
    later = asyncio.Event()
    asyncio.get_running_loop().call_later(0.04, later.set)
    assert isinstance(await attempt(FakeAnswer(later, b"{}")), WholeDelivery)


CREATED = sse({"type": "response.created", "response": {"id": "resp_1"}})
DELTA = sse({"type": "response.output_text.delta", "delta": "Hi"})
FAILED = sse({"type": "response.failed", "response": {"error": {"code": "server_error"}}})


async def test_frames_before_a_responses_first_content_are_held_back() -> None:
    delivery = await attempt(stream(CREATED, DELTA, DELTA), route=RESPONSES)
    assert isinstance(delivery, StreamDelivery)
    assert [frame.raw for frame, _ in delivery.opening.seen] == [CREATED, DELTA]


@pytest.mark.parametrize("end", [FAILED, BackendFailed("broken", may_have_cost=True)])
async def test_an_end_before_a_responses_first_content_is_a_failure(
    end: bytes | BackendFailed,
) -> None:
    answer = stream(CREATED, end)
    with pytest.raises(BackendFailed) as failed:
        await attempt(answer, route=RESPONSES)
    assert failed.value.may_have_cost
    assert answer.closed


async def test_a_response_that_begins_and_then_thinks_is_let_go() -> None:
    delivery = await attempt(stream(CREATED, asyncio.Event()), route=RESPONSES)
    assert isinstance(delivery, StreamDelivery)
    assert [frame.raw for frame, _ in delivery.opening.seen] == [CREATED]


async def test_a_response_in_the_background_is_let_go_with_its_id() -> None:
    answer = stream(CREATED, CREATED, DELTA)
    delivery = await attempt(answer, body=chat(stream=True, background=True), route=RESPONSES)
    assert isinstance(delivery, StreamDelivery)
    assert len(delivery.opening.seen) == 1


async def test_an_error_that_every_backend_would_give_is_delivered() -> None:
    blocked = sse({"error": {"code": "content_filter", "message": "no"}})
    delivery = await attempt(stream(blocked))
    assert isinstance(delivery, StreamDelivery)
    assert [kind for _, kind in delivery.opening.seen] == ["error"]


async def test_an_empty_stream_is_a_failure_that_may_have_cost() -> None:
    assert (await failure(stream(b""))).may_have_cost


async def test_a_stream_that_begins_with_an_error_is_a_failure_that_may_have_cost() -> None:
    answer = stream(ERROR)
    assert (await failure(answer)).may_have_cost
    assert answer.closed


async def test_a_broken_body_is_a_failure() -> None:
    answer = FakeAnswer(b"{", BackendFailed("broken", may_have_cost=True))
    assert (await failure(answer)).may_have_cost
    assert answer.closed


@pytest.mark.parametrize("streamed", [True, False])
async def test_an_attempt_that_is_cancelled_closes_its_answer(streamed: bool) -> None:  # noqa: FBT001  a case
    wait = asyncio.Event()
    answer = stream(wait) if streamed else FakeAnswer(wait)
    task = asyncio.create_task(attempt(answer))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert answer.closed


async def test_after_a_spillover_the_spare_deployment_has_served() -> None:
    said = (("x-ms-spillover-from-deployment", "mini"), ("x-ms-deployment-name", "spare"))
    whole = await attempt(FakeAnswer(b"{}", headers=said))
    streamed = await attempt(FakeAnswer(HELLO, headers=(*STREAM_HEADERS, *said)))
    assert whole.target.deployment == streamed.target.deployment == SPARE
