from datetime import timedelta
from typing import Any

import aiohttp

from tests.unit.local.simulator.conftest import KEY, NOW, Api, decoded
from tollgate.local.simulator import RegionSettings, SimulatedRegion
from tollgate.local.simulator.deployments import DeploymentChange

RESPONSES = "/openai/v1/responses"


async def _created(api: Any, **body: object) -> dict[str, Any]:
    _, made = await api.post(RESPONSES, model="mini", input="hello", **body)
    return made


async def _events(api: Any, path: str) -> list[dict[str, Any]]:
    async with api.session.get(path) as answer:
        assert answer.content_type == "text/event-stream"
        return decoded(await answer.read())


async def test_streamed_response_is_stored_too(api: Any) -> None:
    *_, last = await api.events(RESPONSES, model="mini", input="hello", stream=True)
    finished = last["response"]
    assert await api.get(f"{RESPONSES}/{finished['id']}") == (200, finished)


async def test_stream_is_resumed_after_an_event(api: Any, region: SimulatedRegion) -> None:
    sent = {"input": "hello", "stream": True, "background": True}
    events = await api.events(RESPONSES, model="mini", **sent)
    made = events[0]["response"]["id"]
    path = f"{RESPONSES}/{made}?stream=true&starting_after=4"
    assert await _events(api, path) == events[5:]
    assert (region.log[1].streamed, region.log[1].usage) == (True, None)


async def test_resumed_stream_ends_a_background_response(api: Any) -> None:
    made = await _created(api, background=True)
    *_, last = await _events(api, f"{RESPONSES}/{made['id']}?stream=true")
    assert last["type"] == "response.completed"
    assert (await api.get(f"{RESPONSES}/{made['id']}"))[1]["status"] == "completed"


async def test_clock_ends_a_background_response(settings: RegionSettings) -> None:
    now = NOW
    region = SimulatedRegion(settings, lambda: now)
    region.deployments.change("mini", DeploymentChange(background_s=10))
    async with region.listening() as url, aiohttp.ClientSession(url) as session:
        session.headers["api-key"] = KEY
        api = Api(session)
        made = await _created(api, background=True)
        assert (await api.get(f"{RESPONSES}/{made['id']}"))[1]["status"] == "queued"
        now += timedelta(seconds=10)
        _, ended = await api.get(f"{RESPONSES}/{made['id']}")
    assert (ended["status"], ended["usage"] is None) == ("completed", False)


async def test_background_response_can_be_cancelled(api: Any, region: SimulatedRegion) -> None:
    made = await _created(api, background=True)
    status, cancelled = await api.post(f"{RESPONSES}/{made['id']}/cancel")
    assert (status, cancelled["status"], cancelled["usage"]) == (200, "cancelled", None)
    events = await _events(api, f"{RESPONSES}/{made['id']}?stream=true")
    assert [event["type"] for event in events][-1] == "response.in_progress"
    assert region.log[0].usage is None


async def test_only_a_background_response_can_be_cancelled(api: Any) -> None:
    made = await _created(api)
    assert (await api.post(f"{RESPONSES}/{made['id']}/cancel"))[0] == 400


async def test_input_items_are_listed(api: Any) -> None:
    made = await _created(api)
    _, page = await api.get(f"{RESPONSES}/{made['id']}/input_items")
    assert page["data"][0]["content"][0]["text"] == "hello"


async def test_other_region_does_not_know_the_response(api: Any) -> None:
    for path in ("resp_other", "resp_other/input_items", "resp_other?stream=true"):
        assert (await api.get(f"{RESPONSES}/{path}"))[0] == 404
    status, answer = await api.post(
        RESPONSES, model="mini", input="hello", previous_response_id="resp_other"
    )
    assert (status, answer["error"]["code"]) == (400, "previous_response_not_found")


async def test_place_to_resume_must_be_a_number(api: Any) -> None:
    made = await _created(api)
    path = f"{RESPONSES}/{made['id']}?stream=true&starting_after=last"
    assert (await api.get(path))[0] == 400


async def test_hosted_tools_are_called_and_counted(api: Any) -> None:
    tools = [{"type": "web_search"}, {"type": "file_search", "vector_store_ids": ["vs_1"]}]
    made = await _created(api, tools=tools)
    assert [item["type"] for item in made["output"]] == [
        "web_search_call",
        "file_search_call",
        "message",
    ]
    assert made["tool_usage"]["web_search"] == {"num_requests": 1}
    forbidden = await _created(api, tools=tools, tool_choice="none")
    assert [item["type"] for item in forbidden["output"]] == ["message"]
    assert "tool_usage" not in forbidden


async def test_background_needs_the_store(api: Any) -> None:
    status, _ = await api.post(RESPONSES, model="mini", input="hello", background=True, store=False)
    assert status == 400
