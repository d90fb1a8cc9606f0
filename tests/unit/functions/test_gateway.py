from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Any

import aiohttp
import msgspec
import pytest
from azurefunctions.extensions.http.fastapi import Request
from starlette.requests import ClientDisconnect
from topics import Topic

from tollgate.functions import gateway
from tollgate.local.simulator import SimulatedRegion
from tollgate.local.simulator.faults import SlowFrames

KEY = {"api-key": "contoso-key"}
QUERY = "?api-version=2024-10-21&username=alice&companyName=contoso&billingCode=CC-1001"
CHAT = f"/openai/deployments/mini/chat/completions{QUERY}"
MESSAGES = [{"role": "user", "content": "What does it cost?"}]
STREAM: dict[str, Any] = {"messages": MESSAGES, "stream": True}

pytestmark = pytest.mark.usefixtures("environment")


async def test_a_whole_answer_comes_through_and_is_one_event(
    http: aiohttp.ClientSession, topic: Topic
) -> None:
    async with http.post(CHAT, json={"messages": MESSAGES}, headers=KEY) as response:
        answer = await response.json()
        assert response.status == 200
    (event,) = await topic.received(1)
    assert event["id"] == response.headers["x-request-id"]
    assert event["data"]["tokens"]["output"] == answer["usage"]["completion_tokens"]
    assert event["data"]["billing_code"] == "CC-1001"
    assert response.headers["content-type"] == "application/json"


async def test_the_v1_path_is_served_too(http: aiohttp.ClientSession, topic: Topic) -> None:
    body = {"model": "mini", "messages": MESSAGES}
    async with http.post("/v1/chat/completions", json=body, headers=KEY) as response:
        assert response.status == 200
    (event,) = await topic.received(1)
    assert event["data"]["billing_code"] is None


async def test_a_stream_arrives_frame_by_frame(
    http: aiohttp.ClientSession, region: SimulatedRegion, topic: Topic
) -> None:
    region.faults.add(SlowFrames(delay_s=0.02))
    arrivals: list[float] = []
    async with http.post(CHAT, json=STREAM, headers=KEY) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        async for line in response.content:
            arrivals += [monotonic()] if line.startswith(b"data:") else []
    assert len(arrivals) > 5
    assert arrivals[-1] - arrivals[0] > 0.02 * (len(arrivals) - 3)
    (event,) = await topic.received(1)
    assert (event["data"]["provenance"], event["data"]["cancelled"]) == ("injected", False)


async def test_a_client_that_leaves_is_still_one_event(
    http: aiohttp.ClientSession, region: SimulatedRegion, topic: Topic
) -> None:
    region.faults.add(SlowFrames(delay_s=0.02))
    async with http.post(CHAT, json=STREAM, headers=KEY) as response:
        await response.content.readline()
        response.close()
    (event,) = await topic.received(1)
    assert event["data"]["cancelled"]
    assert event["data"]["tokens"]["output"] > 0
    await asyncio.sleep(0.1)
    assert len(topic.events) == 1


def _request(body: bytes) -> Request:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body}

    scope = {
        "type": "http",
        "method": "POST",
        "path": CHAT.partition("?")[0],
        "query_string": QUERY[1:].encode(),
        "headers": [(b"api-key", b"contoso-key"), (b"content-type", b"application/json")],
    }
    return Request(scope, receive)


@pytest.mark.usefixtures("opened")
@pytest.mark.parametrize("spec_version", ["2.3", "2.4"])
async def test_a_client_that_left_before_the_first_byte_is_still_one_event(
    topic: Topic, spec_version: str
) -> None:
    response = await gateway.gateway_openai(_request(msgspec.json.encode(STREAM)))

    async def gone() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(_: Any) -> None:
        await asyncio.sleep(0)
        raise OSError

    scope = {"type": "http", "asgi": {"spec_version": spec_version}}
    with suppress(OSError, ClientDisconnect):
        await response(scope, gone, send)
    (event,) = await topic.received(1)
    assert event["data"]["cancelled"]


def _sending(*messages: dict[str, Any], key: bytes = b"contoso-key") -> Request:
    left = list(messages)

    async def receive() -> dict[str, Any]:
        return left.pop(0)

    return Request({**_request(b"").scope, "headers": [(b"api-key", key)]}, receive)


@pytest.mark.usefixtures("opened")
async def test_who_leaves_while_sending_is_one_event_of_nothing(
    region: SimulatedRegion, topic: Topic
) -> None:
    part = {"type": "http.request", "body": b"{", "more_body": True}
    response = await gateway.gateway_openai(_sending(part, {"type": "http.disconnect"}))
    assert response.status_code == 499
    (event,) = await topic.received(1)
    assert (event["data"]["provenance"], event["data"]["cancelled"]) == ("none", True)
    assert (event["data"]["status"], event["data"]["tenant"]) == (499, "contoso")
    assert not region.log


@pytest.mark.usefixtures("opened")
async def test_of_a_caller_who_is_unknown_no_body_is_read(topic: Topic) -> None:
    response = await gateway.gateway_openai(_sending(key=b"wrong"))
    assert response.status_code == 401
    assert len(await topic.received(1)) == 1


async def test_an_unknown_key_is_refused_as_openai_does_it(
    http: aiohttp.ClientSession, topic: Topic
) -> None:
    async with http.post(CHAT, json=STREAM, headers={"api-key": "wrong"}) as response:
        assert response.status == 401
        assert (await response.json())["error"]["code"] == "invalid_api_key"
    (event,) = await topic.received(1)
    assert (event["data"]["tenant"], event["data"]["provenance"]) == ("unallocated", "none")


async def test_a_body_over_the_limit_is_not_read_on(http: aiohttp.ClientSession) -> None:
    body = {"messages": [{"role": "user", "content": "x" * 20_000}]}
    async with http.post(CHAT, json=body, headers=KEY) as response:
        assert response.status == 413


PROBLEMS = {
    "unset": "TOLLGATE_CONFIG",
    "missing file": "tollgate.yaml: cannot be read",
    "bad yaml": "tollgate.yaml: not YAML",
    "no secret": "WEU_KEY",
    "no journal": "TOLLGATE_JOURNAL",
}


@pytest.mark.parametrize("problem", PROBLEMS)
async def test_a_gateway_that_is_not_configured_says_so_and_logs_why(
    http: aiohttp.ClientSession,
    environment: Path,
    problem: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    _spoil(environment, problem, monkeypatch)
    for _ in range(3):
        async with http.post(CHAT, json=STREAM, headers=KEY) as response:
            assert response.status == 503
            assert (await response.json())["error"]["code"] == "not_configured"
    async with http.get("/health") as response:
        assert response.status == 503
        assert await response.json() == {"status": "misconfigured", "problems": 1}
    assert PROBLEMS[problem] in caplog.text
    assert not list((environment.parent / "journal").glob("*"))


def _spoil(config: Path, problem: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if problem == "unset":
        monkeypatch.delenv("TOLLGATE_CONFIG")
    elif problem == "missing file":
        config.unlink()
    elif problem == "bad yaml":
        config.write_text("gateway: [")
    elif problem == "no secret":
        monkeypatch.delenv("WEU_KEY")
    else:
        monkeypatch.setenv("TOLLGATE_JOURNAL", str(config))


async def test_a_gateway_recovers_when_its_settings_do(
    http: aiohttp.ClientSession, environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as spoilt:
        _spoil(environment, "no secret", spoilt)
        async with http.get("/health") as response:
            assert response.status == 503
    async with http.get("/health") as response:
        content = await response.json()
        assert (content["status"], content["reasons"]) == ("ok", [])
