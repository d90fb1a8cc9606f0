"""What clients may do to the gateway's own server: little, and nothing of it reaches a region."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from edges import CHAT, HASTY, call, chat, edge, edge_before, error_of, head
from proxying import KEY, hashed
from raw_upstreams import CHUNKED, serving, until

from tollgate.local.simulator.faults import SlowFirstByte, SlowFrames
from tollgate.proxy.client_bounds import ConnectionBounds

pytestmark = pytest.mark.integration

# Longer than the test needs to see that all stands still.
PATIENT = ConnectionBounds(head_timeout_s=0.3, send_timeout_s=2.0)

ONE_AT_A_TIME: list[dict[str, Any]] = [
    {
        "name": "contoso",
        "keys": [hashed(KEY)],
        "billing_codes": ["CC-1001"],
        "limits": {"concurrent_requests": 1},
    }
]
LINE = f"POST {CHAT} HTTP/1.1\r\nhost: x\r\napi-key: {KEY}\r\n".encode()
HIDDEN = call(chat("smuggled"))
SMUGGLING = {
    "length and chunks": head("content-length: 5", "transfer-encoding: chunked") + b"0\r\n\r\n",
    "two lengths": head("content-length: 0", f"content-length: {len(HIDDEN)}"),
    "two lengths in one": head(f"content-length: 0, {len(HIDDEN)}"),
    "a length with a sign": head("content-length: +0"),
    "a folded line": LINE + b"x-a: b\r\n transfer-encoding: chunked\r\ncontent-length: 0\r\n\r\n",
    "a folded length": LINE + b"content-length:\r\n 0\r\n\r\n",
    "a space before the colon": head("content-length : 0", "transfer-encoding : chunked"),
    "a nul": LINE + b"x-a: b\0c\r\ncontent-length: 0\r\n\r\n",
    "a cr": LINE + b"x-a: b\rtransfer-encoding: chunked\r\ncontent-length: 0\r\n\r\n",
    "a cr in the name": LINE + b"x\r-a: b\r\n\r\n",
    "an encoding unknown": head("transfer-encoding: xchunked"),
    "an encoding after chunks": head("transfer-encoding: chunked, identity"),
    "chunks of no size": head("transfer-encoding: chunked") + b"\r\n\r\n",
    "chunks of a sign": head("transfer-encoding: chunked") + b"-1\r\n",
    "chunks too large": head("transfer-encoding: chunked") + b"1" + b"0" * 16 + b"\r\n",
    "chunks in 0x": head("transfer-encoding: chunked") + b"0x1\r\na\r\n0\r\n\r\n",
    "a chunk longer than it says": head("transfer-encoding: chunked") + b"1\r\nab\r\n0\r\n\r\n",
}


async def test_nothing_that_is_smuggled_reaches_a_region(tmp_path: Path) -> None:
    async with edge(tmp_path) as here:
        answers = {name: await here.ask(raw, HIDDEN) for name, raw in SMUGGLING.items()}
        assert {name: error_of(answer) for name, answer in answers.items()} == dict.fromkeys(
            SMUGGLING, (400, "malformed_request")
        )
        assert here.asked == []


async def test_headers_of_the_hop_end_at_the_gateway(tmp_path: Path) -> None:
    tricks = (
        "connection: close, api-key, x-tollgate-tenant, content-length",
        "x-tollgate-tenant: fabrikam",
        "x-tollgate-subscription: sub-1",
        "x-forwarded-for: 10.0.0.1",
        "forwarded: for=10.0.0.1",
        "proxy-authorization: Basic eA==",
        "cookie: a=b",
        "te: trailers",
        "keep-alive: timeout=9",
        "x-original-url: /admin/faults",
    )
    async with edge(tmp_path) as here:
        answer = await here.ask(call(chat(), *tricks, closes=False))
        assert answer.startswith(b"HTTP/1.1 200 ")
        (entry,) = here.asked
        (data,) = await here.told()
    assert set(entry.headers) <= {
        *("host", "api-key", "content-type", "content-length", "accept", "accept-encoding"),
        *("user-agent", "x-ms-client-request-id", "x-request-id"),
    }
    assert "billing" not in entry.query.lower()
    assert (data["tenant"], data["subscription"]) == ("contoso", None)


@pytest.mark.parametrize(
    "path",
    [
        "/openai/v1/../../admin/faults",
        "/openai/v1/%2e%2e/%2e%2e/admin/faults",
        "//openai/v1/chat/completions",
        "/openai/deployments/..%2f..%2fadmin/chat/completions?api-version=2024-10-21",
        "/openai/v1/chat/completions%0d%0ax-a:%20b",
    ],
)
async def test_paths_that_are_not_served_go_nowhere(tmp_path: Path, path: str) -> None:
    async with edge(tmp_path) as here:
        assert error_of(await here.ask(call(chat(), path=path)))[0] == 404
        (data,) = await here.told()
        assert here.asked == []
    assert (data["status"], data["provenance"]) == (404, "none")


async def test_pipelined_requests_each_have_their_answer_and_event(tmp_path: Path) -> None:
    prompts = ["One", "Two two two", "Three three three three three"]
    async with edge(tmp_path) as here, here.connected() as client:
        here.befall(SlowFirstByte(delay_s=0.1))
        client.send(*(call(chat(prompt), closes=False) for prompt in prompts))
        answers = [await client.answer() for _ in prompts]
        told = await here.told(3)
        billed = [entry.usage for entry in here.asked]
    assert [status for status, _ in answers] == [200, 200, 200]
    counted = [data["tokens"]["input"] for data in told]
    assert counted == [usage["prompt_tokens"] for usage in billed if usage]
    assert len(set(counted)) == 3
    for (_, body), count in zip(answers, counted, strict=True):
        assert f'"prompt_tokens":{count}'.encode() in body.replace(b" ", b"")


async def test_a_head_too_large_or_too_slow_is_refused(tmp_path: Path) -> None:
    long = "x-long: " + "a" * 70_000
    async with edge(tmp_path, HASTY) as here:
        assert error_of(await here.ask(head(long))) == (431, "headers_too_large")
        async with here.connected() as client:
            for at in range(0, 100_000, 1000):
                client.send(LINE if not at else b"x-long: ".ljust(998, b"a") + b"\r\n")
                await asyncio.sleep(0)
            assert error_of(await client.rest()) == (431, "headers_too_large")
        assert error_of(await here.ask(LINE)) == (408, "request_timeout")
        assert here.asked == []


async def test_a_body_that_does_not_arrive_is_refused_and_told_of(tmp_path: Path) -> None:
    async with edge(tmp_path, HASTY, relay={"body_timeout_s": 0.2}) as here:
        answer = await here.ask(head("content-length: 9"), b"{")
        assert error_of(answer) == (408, "request_timeout")
        (data,) = await here.told()
        assert here.asked == []
    assert (data["status"], data["provenance"], data["tenant"]) == (408, "none", "contoso")


@pytest.mark.parametrize("length", ["content-length: 3000", "transfer-encoding: chunked"])
async def test_a_body_too_long_is_refused_and_told_of(tmp_path: Path, length: str) -> None:
    body = b"a" * 3000 if "3000" in length else b"bb8\r\n" + b"a" * 3000 + b"\r\n0\r\n\r\n"
    async with edge(tmp_path, relay={"max_request_bytes": 2000}) as here:
        assert error_of(await here.ask(head(length), body)) == (413, "request_too_large")
        (data,) = await here.told()
        assert here.asked == []
    assert (data["status"], data["provenance"]) == (413, "none")


async def test_who_leaves_before_the_body_is_whole_is_told_of(tmp_path: Path) -> None:
    async with edge(tmp_path, tenants=ONE_AT_A_TIME) as here:
        async with here.connected() as client:
            client.send(head("content-length: 9"), b"{")
            await asyncio.sleep(0.05)
        (data,) = await here.told()
        assert (data["status"], data["cancelled"], data["provenance"]) == (499, True, "none")
        assert (await here.ask(call(chat()))).startswith(b"HTTP/1.1 200 ")


async def test_a_tenant_has_only_so_many_requests_at_once(tmp_path: Path) -> None:
    async with edge(tmp_path, tenants=ONE_AT_A_TIME) as here:
        here.befall(SlowFirstByte(delay_s=0.3))
        first = asyncio.create_task(here.ask(call(chat())))
        await until(lambda: len(here.asked) == 1)
        refused = await here.ask(call(chat()))
        assert error_of(refused) == (429, "too_many_concurrent_requests")
        assert b"retry-after: 1\r\n" in refused
        assert (await first).startswith(b"HTTP/1.1 200 ")
        assert (await here.ask(call(chat()))).startswith(b"HTTP/1.1 200 ")
        told = await here.told(3)
        assert len(here.asked) == 2
    assert [data["status"] for data in told] == [429, 200, 200]


async def test_who_leaves_a_stream_makes_room_for_the_next(tmp_path: Path) -> None:
    drain = {"drain_timeout_s": 0.1}
    async with edge(tmp_path, tenants=ONE_AT_A_TIME, relay=drain) as here:
        here.befall(SlowFrames(delay_s=0.2))
        async with here.connected() as client:
            client.send(call(chat(stream=True)))
            await client.until(b"data: ")
        (data,) = await here.told()
        assert (data["cancelled"], data["provenance"]) == (True, "estimated")
        assert (await here.ask(call(chat()))).startswith(b"HTTP/1.1 200 ")


async def test_a_stream_may_take_only_so_long(tmp_path: Path) -> None:
    async with edge(tmp_path, relay={"max_stream_s": 0.3, "drain_timeout_s": 0.1}) as here:
        here.befall(SlowFrames(delay_s=0.1))
        answer = await here.ask(call(chat("Say hi in 60 words", stream=True)))
        (data,) = await here.told()
    assert answer.count(b"data: ") < 10
    assert not answer.endswith(b"0\r\n\r\n")  # the client sees that it is not whole
    assert (data["cancelled"], data["provenance"]) == (True, "estimated")


class Endless:
    """A region whose stream does not end."""

    FRAME = b'data: {"choices":[{"delta":{"content":"' + b"word " * 200 + b'"}}]}\n\n'

    def __init__(self) -> None:
        self.sent_bytes = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        frames = self.FRAME * 16
        writer.write(CHUNKED.replace(b"\r\n\r\n", b"\r\ncontent-type: text/event-stream\r\n\r\n"))
        while True:
            writer.write(b"%x\r\n%b\r\n" % (len(frames), frames))
            await writer.drain()
            self.sent_bytes += len(frames)
            await asyncio.sleep(0)


async def test_a_client_that_does_not_read_stops_the_region_too(tmp_path: Path) -> None:
    endless = Endless()
    async with (
        serving(endless) as port,
        edge_before(tmp_path, f"http://127.0.0.1:{port}", PATIENT) as here,
        here.connected(read_bytes=1024) as client,
    ):
        client.send(call(chat(stream=True)))
        await client.until(b"data: ")
        seen = -1
        while seen < endless.sent_bytes:
            seen = endless.sent_bytes
            await asyncio.sleep(0.5)
        assert seen < 40_000_000  # what two sockets hold, and no more
        (data,) = await here.told()  # it is given up, and the region with it
    assert (data["cancelled"], data["provenance"]) == (True, "estimated")
