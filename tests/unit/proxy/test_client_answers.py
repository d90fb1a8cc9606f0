from __future__ import annotations

import asyncio

import msgspec
import pytest
from fake_edges import BODY, PATH, STREAMED, edge
from proxying import (
    DONE,
    HELLO,
    JSON_HEADERS,
    KEY,
    USAGE,
    FakeAnswer,
    completion,
    stream,
)


async def test_a_whole_answer_has_its_length_and_its_date() -> None:
    async with edge(FakeAnswer(completion())) as here:
        here.send(BODY)
        head = await here.head()
        assert head.startswith(b"HTTP/1.1 200 OK\r\n")
        assert b"content-length: %d\r\n" % len(completion()) in head
        assert b"\r\ndate: " in head
        assert await here.reader.readexactly(len(completion())) == completion()
        assert (await here.counted()).user == "Zoë"


async def test_header_values_pass_byte_for_byte() -> None:
    headers = (*JSON_HEADERS, ("x-ms-region", "caf\xe9"))
    async with edge(FakeAnswer(b"{}", headers=headers)) as here:
        here.send(BODY, "user-agent: caf\xe9")
        assert b"\r\nx-ms-region: caf\xe9\r\n" in await here.head()
        assert "user-agent" not in here.upstream.sent[0].headers


async def test_what_varies_is_passed_on_and_the_same_head_twice_is_served_twice() -> None:
    async with edge(FakeAnswer(completion()), FakeAnswer(completion())) as here:
        for trace in ("00-1", "00-2"):
            here.send(BODY, f"traceparent: {trace}", "user-agent: me")
            await here.head()
            await here.reader.readexactly(len(completion()))
        sent = [
            (each.headers["traceparent"], each.headers["user-agent"]) for each in here.upstream.sent
        ]
    assert sent == [("00-1", "me"), ("00-2", "me")]


async def test_a_body_of_just_the_limit_is_served_and_a_longer_one_is_not_read_on() -> None:
    async with edge(FakeAnswer(completion()), max_request_bytes=len(BODY)) as here:
        here.send(BODY)
        assert b" 200 " in await here.head()
        await here.reader.readexactly(len(completion()))
        here.send(BODY + b" ")
        assert b" 413 " in await here.head()
        assert len(here.upstream.sent) == 1


async def test_of_a_caller_who_is_unknown_no_body_is_waited_for() -> None:
    async with edge(FakeAnswer()) as here:
        here.writer.write(b"POST /v1/x HTTP/1.1\r\napi-key: no\r\ncontent-length: 9\r\n\r\n")
        assert b" 401 " in await here.head()
        assert (await here.counted()).tenant == "unallocated"


async def test_who_waits_to_be_told_is_told_to_send_the_body() -> None:
    async with edge(FakeAnswer(completion())) as here:
        head = f"POST {PATH} HTTP/1.1\r\napi-key: {KEY}\r\nexpect: 100-continue\r\n"
        here.writer.write(f"{head}content-length: {len(BODY)}\r\n\r\n".encode())
        assert await here.head() == b"HTTP/1.1 100 Continue\r\n\r\n"
        here.writer.write(BODY)
        assert b" 200 " in await here.head()


async def test_who_waits_to_be_told_and_is_refused_sends_nothing_more() -> None:
    async with edge(FakeAnswer()) as here:
        head = b"POST /v1/x HTTP/1.1\r\napi-key: no\r\nexpect: 100-continue\r\n"
        here.writer.write(head + b"content-length: 9\r\n\r\n")
        answer = await here.rest()
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert b"connection: close\r\n" in answer


async def test_who_leaves_while_sending_is_booked_and_nothing_is_sent_on() -> None:
    async with edge(FakeAnswer(completion())) as here:
        head = f"POST {PATH} HTTP/1.1\r\napi-key: {KEY}\r\ncontent-length: 99\r\n\r\n".encode()
        here.writer.write(head + BODY[:9])
        await asyncio.sleep(0.02)
        here.writer.transport.abort()
        data = await here.counted()
    assert (data.provenance, data.cancelled, data.status) == ("none", True, 499)
    assert (data.tenant, here.upstream.sent) == ("contoso", [])


async def test_who_leaves_before_the_answer_is_counted() -> None:
    go = asyncio.Event()
    async with edge(FakeAnswer(go, completion())) as here:
        here.send(BODY)
        await asyncio.sleep(0.02)
        here.writer.transport.abort()
        await asyncio.sleep(0.02)
        go.set()
        data = await here.counted()
    assert (data.provenance, data.cancelled) == ("measured", False)


async def test_a_stream_is_sent_in_chunks_without_the_usage_that_was_not_asked_for() -> None:
    async with edge(stream(HELLO, USAGE, DONE)) as here:
        here.send(STREAMED, "connection: close")
        answer = await here.rest()
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"transfer-encoding: chunked" in head
    chunks = [b"%x\r\n%b\r\n" % (len(frame), frame) for frame in (HELLO, DONE, b"")]
    assert body == b"".join(chunks)


async def test_the_connection_serves_on_behind_a_stream() -> None:
    async with edge(stream(HELLO, USAGE, DONE), stream(HELLO, USAGE, DONE)) as here:
        for _ in range(2):
            here.send(STREAMED)
            await here.reader.readuntil(b"0\r\n\r\n")
        assert len(here.sink.events) == 2


async def test_who_leaves_between_two_frames_is_counted_at_once() -> None:
    go = asyncio.Event()
    async with edge(stream(HELLO, go, USAGE, DONE)) as here:
        here.send(STREAMED)
        await here.reader.readuntil(HELLO)
        here.writer.transport.abort()
        await asyncio.sleep(0.02)
        go.set()
        data = await here.counted()
    assert (data.cancelled, data.provenance) == (True, "injected")


async def test_who_leaves_before_a_stream_begins_is_counted() -> None:
    go = asyncio.Event()
    async with edge(stream(go, HELLO, USAGE, DONE)) as here:
        here.send(STREAMED)
        await asyncio.sleep(0.02)
        here.writer.transport.abort()
        await asyncio.sleep(0.02)
        go.set()
        data = await here.counted()
    assert data.cancelled


async def test_a_connection_without_requests_is_closed_after_a_while() -> None:
    async with edge(FakeAnswer(completion())) as here:
        here.send(BODY)
        assert (await here.rest()).endswith(completion())


async def test_the_gateways_own_refusal_is_json() -> None:
    async with edge(FakeAnswer()) as here:
        here.send(BODY, "connection: close", path="/openai/%2e%2e")
        head, _, body = (await here.rest()).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 404 ")
    assert msgspec.json.decode(body)["error"]["code"] == "not_found"


async def test_an_answer_to_head_has_no_body() -> None:
    async with edge(FakeAnswer()) as here:
        here.send(b"", "connection: close", method="HEAD", path="/v1/models")
        answer = await here.rest()
    assert answer.startswith(b"HTTP/1.1 405 ")
    assert answer.endswith(b"\r\n\r\n")


async def test_an_answer_to_http_1_0_ends_with_the_connection() -> None:
    async with edge(FakeAnswer(completion())) as here:
        head = f"POST {PATH} HTTP/1.0\r\napi-key: {KEY}\r\nconnection: keep-alive\r\n"
        here.writer.write(f"{head}content-length: {len(BODY)}\r\n\r\n".encode() + BODY)
        answer = await here.rest()
    assert b"connection: close\r\n" in answer
    assert answer.endswith(completion())


async def test_a_header_that_would_end_a_line_is_a_bug_and_goes_nowhere(
    caplog: pytest.LogCaptureFixture,
) -> None:
    headers = (*JSON_HEADERS, ("x-ms-region", "a\r\nset-cookie: b"))
    async with edge(FakeAnswer(b"{}", headers=headers)) as here:
        here.send(BODY)
        assert await here.rest() == b""
    assert "ValueError" in caplog.text


async def test_who_sends_on_an_open_connection_and_leaves_at_once_is_counted() -> None:
    answers = [FakeAnswer(completion()) for _ in range(2)]
    async with edge(*answers) as here:
        here.send(BODY)
        await here.head()
        await here.reader.readexactly(len(completion()))
        here.send(BODY)
        here.writer.close()
        async with asyncio.timeout(5):
            while len(here.sink.events) < 2:  # noqa: ASYNC110  it has no event to wait for
                await asyncio.sleep(0.005)
    assert [event.data.provenance for event in here.sink.events] == ["measured", "measured"]


async def test_a_stream_for_http_1_0_is_not_chunked_and_ends_with_the_connection() -> None:
    async with edge(stream(HELLO, USAGE, DONE)) as here:
        head = f"POST {PATH} HTTP/1.0\r\napi-key: {KEY}\r\nexpect: 100-continue\r\n"
        here.writer.write(f"{head}content-length: {len(STREAMED)}\r\n\r\n".encode())
        await asyncio.sleep(0.02)
        here.writer.write(STREAMED)
        answered, _, body = (await here.rest()).partition(b"\r\n\r\n")
    assert answered.startswith(b"HTTP/1.1 200 ")
    assert b"transfer-encoding" not in answered
    assert body == HELLO + DONE
