from typing import Any

import pytest

from tollgate.local.simulator import SimulatedRegion
from tollgate.local.simulator.faults import (
    ErrorFirstFrame,
    ErrorMidStream,
    NoUsageFrame,
    OddFraming,
    ResponsesFailed,
)

RESPONSES = "/openai/v1/responses"


async def _streamed(api: Any, **body: object) -> bytes:
    return b"".join([data async for data in api.stream(**body)])


async def test_service_tier_is_the_one_that_served(api: Any) -> None:
    _, answer = await api.chat(service_tier="priority")
    assert answer["service_tier"] == "default"


async def test_withheld_usage_is_billed_all_the_same(api: Any, region: SimulatedRegion) -> None:
    region.faults.add(NoUsageFrame())
    body = await _streamed(api, stream_options={"include_usage": True})
    assert b'"prompt_tokens"' not in body
    assert b"[DONE]" in body
    [entry] = region.log
    assert entry.usage is not None
    assert entry.usage["prompt_tokens"] == 9


async def test_error_in_the_first_frame_bills_nothing(api: Any, region: SimulatedRegion) -> None:
    region.faults.add(ErrorFirstFrame(code="busy"))
    assert (await _streamed(api)).startswith(b'data: {"error":{"code":"busy"')
    assert (region.log[0].status, region.log[0].usage) == (200, None)


async def test_error_mid_stream_bills_what_was_generated(api: Any, region: SimulatedRegion) -> None:
    region.faults.add(ErrorMidStream(after_frames=5))
    body = await _streamed(api)
    assert body.count(b"data: ") == 6
    assert b"[DONE]" not in body
    [entry] = region.log
    assert entry.usage is not None
    assert entry.usage["completion_tokens"] == 3


async def test_odd_framing_carries_the_same_answer(api: Any, region: SimulatedRegion) -> None:
    region.faults.add(OddFraming())
    assert b"\r\n\r\n: keep-alive\r\ndata:" in await _streamed(api)


async def test_stored_response_can_be_read_and_deleted(api: Any) -> None:
    _, made = await api.post(RESPONSES, model="mini", input="hello")
    assert await api.get(f"{RESPONSES}/{made['id']}") == (200, made)
    async with api.session.delete(f"{RESPONSES}/{made['id']}") as answer:
        assert (await answer.json())["deleted"] is True
    assert (await api.get(f"{RESPONSES}/{made['id']}"))[0] == 404


async def test_response_is_not_stored_against_its_will(api: Any) -> None:
    _, made = await api.post(RESPONSES, model="mini", input="hello", store=False)
    assert (await api.get(f"{RESPONSES}/{made['id']}"))[0] == 404


async def test_background_response_has_usage_only_at_its_end(api: Any) -> None:
    _, made = await api.post(RESPONSES, model="mini", input="hello", background=True)
    polled = [(await api.get(f"{RESPONSES}/{made['id']}"))[1] for _ in range(2)]
    states = [made, *polled]
    assert [state["status"] for state in states] == ["queued", "in_progress", "completed"]
    assert [state["usage"] is None for state in states] == [True, True, False]


async def test_continued_conversation_is_billed_again(api: Any) -> None:
    _, first = await api.post(RESPONSES, model="mini", input="hello")
    _, second = await api.post(
        RESPONSES, model="mini", input="hello", previous_response_id=first["id"]
    )
    grown = first["usage"]["total_tokens"] + first["usage"]["input_tokens"]
    assert second["usage"]["input_tokens"] == grown


@pytest.mark.parametrize("with_usage", [True, False])
async def test_failed_response_may_state_its_usage(
    api: Any, region: SimulatedRegion, *, with_usage: bool
) -> None:
    region.faults.add(ResponsesFailed(with_usage=with_usage))
    status, answer = await api.post(RESPONSES, model="mini", input="hello")
    assert (status, answer["status"]) == (200, "failed")
    assert (answer["usage"] is not None) is with_usage
    assert region.log[0].usage is not None
