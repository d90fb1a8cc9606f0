from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest
from gateways import gateway
from proxying import (
    DONE,
    HELLO,
    JSON_HEADERS,
    KEY,
    USAGE,
    FakeAnswer,
    FakeUpstream,
    RecordingSink,
    chat,
    completion,
    stream,
)

from tollgate.proxy.asgi import GatewayApp, Message
from tollgate.proxy.handler import EdgeLimits
from tollgate.proxy.relay import DrainBounds

SCOPE = {
    "type": "http",
    "method": "POST",
    "path": "/v1/chat/completions",
    "query_string": b"username=Zo%C3%AB",
    "headers": [(b"API-Key", KEY.encode()), (b"user-agent", b"caf\xe9")],
}
BODY = chat(model="gpt-4o-mini")
STREAMED = chat(model="gpt-4o-mini", stream=True)


class Connection:
    """One request through the edge, as a server carries it."""

    def __init__(self, answer: FakeAnswer, *body: bytes, limit: int = 10_000) -> None:
        self.sink, self.upstream = RecordingSink(), FakeUpstream(answer)
        self.gateway = gateway(
            self.upstream,
            self.sink,
            drain=DrainBounds(timeout_s=0.05, tokens=1000),
            limits=EdgeLimits(max_request_bytes=limit),
        )
        self._app = GatewayApp(self)
        self._received: asyncio.Queue[Message] = asyncio.Queue()
        for place, part in enumerate(body):
            more = place < len(body) - 1
            self._received.put_nowait({"type": "http.request", "body": part, "more_body": more})
        self.sent: list[Message] = []
        self._grown = asyncio.Event()
        self.send_fails: BaseException | None = None

    def leave(self) -> None:
        self._received.put_nowait({"type": "http.request"})
        self._received.put_nowait({"type": "http.disconnect"})

    def leave_after(self, part: bytes) -> None:
        self._received.put_nowait({"type": "http.request", "body": part, "more_body": True})
        self._received.put_nowait({"type": "http.disconnect"})

    async def send(self, message: Message) -> None:
        if self.send_fails:
            raise self.send_fails
        self.sent.append(message)
        self._grown.set()
        await asyncio.sleep(0)

    async def run(self, **scope: Any) -> None:
        await self._app({**SCOPE, **scope}, self._received.get, self.send)
        await self.gateway.background.finish()

    async def until_sent(self, messages: int) -> None:
        while len(self.sent) < messages:
            self._grown.clear()
            await self._grown.wait()

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent)


async def test_a_whole_answer_has_its_length() -> None:
    connection = Connection(FakeAnswer(completion()), BODY)
    await connection.run()
    start, body = connection.sent
    assert start["status"] == 200
    assert (b"content-length", str(len(completion())).encode()) in start["headers"]
    assert body == {"type": "http.response.body", "body": completion()}
    assert connection.sink.only.data.user == "Zoë"


async def test_a_body_that_comes_in_parts_is_put_together() -> None:
    connection = Connection(FakeAnswer(completion()), BODY[:9], BODY[9:], b"")
    await connection.run()
    assert connection.sent[0]["status"] == 200


async def test_a_body_that_is_too_long_is_not_read_on() -> None:
    connection = Connection(FakeAnswer(), b"x" * 11, b"x", limit=10)
    await connection.run()
    assert connection.sent[0]["status"] == 413


async def test_a_body_of_just_the_limit_is_served() -> None:
    connection = Connection(FakeAnswer(completion()), BODY, limit=len(BODY))
    await connection.run()
    assert connection.sent[0]["status"] == 200


async def test_of_a_caller_who_is_unknown_no_body_is_read() -> None:
    connection = Connection(FakeAnswer())
    await connection.run(headers=[(b"api-key", b"wrong")])  # would wait for a body for ever
    assert connection.sent[0]["status"] == 401
    assert connection.sink.only.data.tenant == "unallocated"


async def test_who_leaves_while_sending_is_booked_and_nothing_is_sent_on() -> None:
    connection = Connection(FakeAnswer(completion()))
    connection.leave_after(BODY[:-1])
    await connection.run()
    data = connection.sink.only.data
    assert (data.provenance, data.cancelled, data.status) == ("none", True, 499)
    assert (data.tenant, connection.upstream.sent) == ("contoso", [])


async def test_header_values_pass_byte_for_byte() -> None:
    headers = (*JSON_HEADERS, ("x-ms-region", "caf\xe9"))
    connection = Connection(FakeAnswer(b"{}", headers=headers), BODY)
    await connection.run()
    assert (b"x-ms-region", b"caf\xe9") in connection.sent[0]["headers"]
    assert "user-agent" not in connection.upstream.sent[0].headers


async def test_a_stream_is_sent_frame_by_frame() -> None:
    connection = Connection(stream(HELLO, USAGE, DONE), STREAMED)
    await connection.run()
    assert [message.get("body") for message in connection.sent] == [None, HELLO, DONE, b""]
    assert [message.get("more_body") for message in connection.sent[1:]] == [True, True, None]


async def test_who_leaves_between_two_frames_is_counted_at_once() -> None:
    go = asyncio.Event()
    connection = Connection(stream(HELLO, go, USAGE, DONE), STREAMED)
    serving = asyncio.create_task(connection.run())
    await connection.until_sent(2)
    connection.leave()
    for _ in range(10):
        await asyncio.sleep(0)
    go.set()
    await serving
    data = connection.sink.only.data
    assert (data.cancelled, data.provenance) == (True, "injected")
    assert connection.body == HELLO


async def test_who_leaves_before_the_first_frame_is_counted() -> None:
    connection = Connection(stream(HELLO, asyncio.Event()), STREAMED)
    connection.leave()
    await connection.run()
    assert connection.sink.only.data.cancelled


async def test_who_leaves_before_the_answer_is_counted() -> None:
    connection = Connection(FakeAnswer(completion()), BODY)
    connection.leave()
    await connection.run()
    assert connection.sink.only.data.provenance == "measured"


async def test_a_server_that_says_that_the_client_has_left_is_believed() -> None:
    connection = Connection(stream(), STREAMED)
    connection.send_fails = OSError()
    await connection.run()
    assert connection.sink.only.data.cancelled


async def test_a_bug_of_the_server_is_not_hidden() -> None:
    connection = Connection(stream(), STREAMED)
    connection.send_fails = ValueError("a bug")
    with pytest.raises(ValueError, match="a bug"):
        await connection.run()
    await connection.gateway.background.finish()
    assert connection.sink.only.data.cancelled


@pytest.mark.parametrize("times", [1, 2, 3])
async def test_a_server_that_cancels_a_stream_leaves_one_event(times: int) -> None:
    connection = Connection(stream(HELLO, asyncio.Event()), STREAMED)
    serving = asyncio.create_task(connection.run())
    await connection.until_sent(2)
    for _ in range(times):
        serving.cancel()
        await asyncio.sleep(0)
    await asyncio.gather(serving, return_exceptions=True)
    await asyncio.sleep(0)
    await connection.gateway.background.finish()
    assert connection.sink.only.data.cancelled


async def test_nothing_runs_on_behind_a_stream() -> None:
    await Connection(stream(), STREAMED).run()
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.parametrize("kind", ["lifespan", "websocket"])
async def test_other_scopes_are_left_alone(kind: str) -> None:
    connection = Connection(FakeAnswer())
    await connection.run(type=kind)
    assert connection.sent == []


async def test_the_gateways_own_refusal_is_json() -> None:
    connection = Connection(FakeAnswer(), BODY)
    await connection.run(path="/openai/%2e%2e")
    assert connection.sent[0]["status"] == 404
    assert msgspec.json.decode(connection.body)["error"]["code"] == "not_found"
