from typing import Any

import pytest

from tollgate.local.simulator import SimulatedRegion
from tollgate.local.simulator.billed_replies import nothing_billed
from tollgate.local.simulator.faults import ErrorAfterEarlyFrames, ErrorFirstFrame, OddFraming

RESPONSES = "/openai/v1/responses"
IMAGES = "/openai/v1/images/generations"


async def _streamed(api: Any, **body: object) -> bytes:
    return b"".join([data async for data in api.stream(**body)])


async def test_chat_fails_after_its_opening_and_bills_nothing(
    api: Any, region: SimulatedRegion
) -> None:
    region.faults.add(ErrorAfterEarlyFrames(code="busy"))
    filtered, roles, failed = (await _streamed(api)).removesuffix(b"\n\n").split(b"\n\n")
    assert b'"prompt_filter_results"' in filtered
    assert b'"role":"assistant"' in roles
    assert failed.startswith(b'data: {"error":{"code":"busy"')
    assert (region.log[0].status, region.log[0].usage) == (200, None)


async def test_response_fails_after_its_opening(api: Any, region: SimulatedRegion) -> None:
    region.faults.add(ErrorAfterEarlyFrames(code="busy"))
    events = await api.events(RESPONSES, model="mini", input="hello", stream=True)
    assert [event["type"] for event in events] == [
        "response.created",
        "response.in_progress",
        "error",
    ]
    assert events[-1]["sequence_number"] == 2


@pytest.mark.parametrize("fault", [ErrorAfterEarlyFrames(), ErrorFirstFrame()])
async def test_images_have_no_opening(
    api: Any, region: SimulatedRegion, fault: ErrorAfterEarlyFrames | ErrorFirstFrame
) -> None:
    region.faults.add(fault)
    [event] = await api.events(IMAGES, model="painter", prompt="a cat", stream=True)
    assert (event["type"], event["error"]["code"]) == ("error", "InternalServerError")
    assert region.log[0].usage is None


async def test_odd_framing_keeps_the_error(api: Any, region: SimulatedRegion) -> None:
    region.faults.add(OddFraming(), ErrorAfterEarlyFrames())
    assert (await _streamed(api)).count(b"\r\n\r\n") == 3


def test_nothing_is_nothing_however_long() -> None:
    assert nothing_billed(100) is None
