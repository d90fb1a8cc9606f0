"""The edge for an ordinary server: raw ASGI, so that nothing stands between it and the handler."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any

import msgspec

from tollgate.proxy.handler import Gateway
from tollgate.proxy.messages import Answer, ByteStream, Request

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class GatewayApp:
    """An ASGI application around the handler.

    Args:
        gateway: The handler.
        max_request_bytes: Longer bodies are not read on, and refused.
    """

    def __init__(self, gateway: Gateway, max_request_bytes: int) -> None:
        self._gateway = gateway
        self._max_request_bytes = max_request_bytes

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one HTTP request; other scopes are left alone."""
        if scope["type"] != "http":
            return
        request = _request(scope)
        refused = self._gateway.refusal_of(request)
        if refused is not None:
            await _send_whole(send, refused)
            return
        try:
            body = await self._read_body(receive)
        except _ClientLeftError:
            self._gateway.client_left(request)
            return
        answer = await self._gateway.handle(msgspec.structs.replace(request, body=body))
        if isinstance(answer.body, bytes):
            await _send_whole(send, answer)
        else:
            await _send_stream(receive, send, answer, answer.body)

    async def _read_body(self, receive: Receive) -> bytes | None:
        body = bytearray()
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise _ClientLeftError
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > self._max_request_bytes:
                return None
        return bytes(body)


class _ClientLeftError(Exception):
    """The client left before all of its body was here."""


def _request(scope: Message) -> Request:
    return Request(
        method=scope["method"],
        path=scope["path"],
        query=scope["query_string"].decode("latin-1"),
        headers=tuple(
            (name.decode("latin-1").lower(), value.decode("latin-1"))
            for name, value in scope["headers"]
        ),
        body=None,
    )


async def _send_whole(send: Send, answer: Answer) -> None:
    body = answer.body if isinstance(answer.body, bytes) else b""
    length = (b"content-length", str(len(body)).encode())
    await send(_start(answer, length))
    await send({"type": "http.response.body", "body": body})


async def _send_stream(receive: Receive, send: Send, answer: Answer, relay: ByteStream) -> None:
    """Send frame by frame; a client that leaves ends this at once, but not the count."""
    sending = asyncio.create_task(_send_frames(send, answer, relay))
    gone = asyncio.create_task(_until_gone(receive))
    try:
        await asyncio.wait({sending, gone}, return_when=asyncio.FIRST_COMPLETED)
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
