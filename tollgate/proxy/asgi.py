"""The edge for an ordinary server: raw ASGI, so that nothing stands between it and the handler."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any, Protocol

from tollgate.proxy.deadline import Deadline
from tollgate.proxy.handler import Arrival, EdgeLimits, Gateway
from tollgate.proxy.messages import Answer, ByteStream, Request
from tollgate.proxy.refusals import slow_body

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Serving(Protocol):
    """Whoever has the gateway that serves at the moment; another one when the settings change."""

    @property
    def gateway(self) -> Gateway:
        """The gateway."""
        ...


class GatewayApp:
    """An ASGI application around the handler.

    Args:
        serving: Has the handler.
    """

    def __init__(self, serving: Serving) -> None:
        self._serving = serving

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one HTTP request; other scopes are left alone."""
        if scope["type"] != "http":
            return
        gateway = self._serving.gateway
        arrival = gateway.arrive(_request(scope))
        if isinstance(arrival, Answer):
            await _send_whole(send, arrival)
            return
        answer = await _answer(gateway, arrival, receive)
        if answer is None:
            return
        if isinstance(answer.body, bytes):
            await _send_whole(send, answer)
        else:
            await _send_stream(receive, send, answer, gateway.limits.max_stream_s)


async def _answer(gateway: Gateway, arrival: Arrival, receive: Receive) -> Answer | None:
    """The answer to a request; None if its client has left."""
    limits = gateway.limits
    try:
        body = await _read_body(receive, limits)
    except _ClientLeftError:
        gateway.left(arrival)
        return None
    except TimeoutError:
        return gateway.refuse(arrival, slow_body(limits.body_timeout_s))
    except asyncio.CancelledError:
        gateway.left(arrival)
        raise
    return await gateway.handle(arrival, body)


async def _read_body(receive: Receive, limits: EdgeLimits) -> bytes | None:
    body = bytearray()
    with Deadline(limits.body_timeout_s):
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise _ClientLeftError
            part = message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) + len(part) > limits.max_request_bytes:
                return None
            if not more and not body:
                return part
            body += part
            if not more:
                return bytes(body)


class _ClientLeftError(Exception):
    """The client left before all of its body was here."""


def _request(scope: Message) -> Request:
    return Request(
        method=scope["method"],
        path=scope["path"],
        query=scope["query_string"].decode("latin-1"),
        headers=tuple(
            [
                (name.decode("latin-1").lower(), value.decode("latin-1"))
                for name, value in scope["headers"]
            ]
        ),
        body=None,
    )


async def _send_whole(send: Send, answer: Answer) -> None:
    body = answer.body if isinstance(answer.body, bytes) else b""
    length = (b"content-length", str(len(body)).encode())
    await send(_start(answer, length))
    await send({"type": "http.response.body", "body": body})


async def _send_stream(receive: Receive, send: Send, answer: Answer, max_s: float) -> None:
    """Send frame by frame; a client that leaves, or takes too long, ends this but not the count."""
    relay = answer.body
    if isinstance(relay, bytes):
        return
    sending = asyncio.create_task(_send_frames(send, answer, relay))
    gone = asyncio.create_task(_until_gone(receive))
    try:
        await asyncio.wait({sending, gone}, timeout=max_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        gone.cancel()
        sending.cancel()
        sending.add_done_callback(lambda _: relay.abandon())
        await asyncio.wait({sending})
    if not sending.cancelled():
        with suppress(OSError):  # so the server says that the client has left
            sending.result()


async def _send_frames(send: Send, answer: Answer, relay: ByteStream) -> None:
    await send(_start(answer))
    async for chunk in relay:
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _start(answer: Answer, *more: tuple[bytes, bytes]) -> Message:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
    return {
        "type": "http.response.start",
        "status": answer.status,
        "headers": [*headers, *more],
    }
