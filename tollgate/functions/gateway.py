"""The proxy as HTTP functions: the edge between the Functions HTTP stream and the handler."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

import azure.functions as func
from azurefunctions.extensions.http.fastapi import Request, Response, StreamingResponse
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from tollgate.errors import SettingsError
from tollgate.functions.runtime import shared
from tollgate.proxy import messages
from tollgate.proxy.client_messages import VARYING
from tollgate.proxy.handler import CLIENT_CLOSED_REQUEST
from tollgate.proxy.refusals import Refusal, slow_body

METHODS: Final = ["GET", "POST", "PUT", "PATCH", "DELETE"]

blueprint: Final = func.Blueprint()
_log: Final = logging.getLogger(__name__)


@blueprint.function_name("gateway_openai")
@blueprint.route("openai/{*path}", methods=METHODS, auth_level=func.AuthLevel.ANONYMOUS)
async def gateway_openai(req: Request) -> Response:
    """Both URL shapes of Azure OpenAI; the gateway knows its callers by their own keys."""
    return await serve(req)


@blueprint.function_name("gateway_v1")
@blueprint.route("v1/{*path}", methods=METHODS, auth_level=func.AuthLevel.ANONYMOUS)
async def gateway_v1(req: Request) -> Response:
    """The same for clients whose base URL ends in /v1."""
    return await serve(req)


async def serve(request: Request) -> Response:
    """Let the gateway answer."""
    try:
        runtime = await shared.gateway()
    except SettingsError as error:
        for problem in error.problems:
            _log.error("%s", problem)
        refusal = Refusal(503, "not_configured", "The gateway is not configured; see its log.")
        return _response(refusal.answer())
    gateway = runtime.gateway
    arrival = gateway.arrive(_request(request))
    if isinstance(arrival, messages.Answer):
        return _response(arrival)
    limits = gateway.limits
    try:
        async with asyncio.timeout(limits.body_timeout_s):
            body = await _body(request, limits.max_request_bytes)
    except TimeoutError:
        return _response(gateway.refuse(arrival, slow_body(limits.body_timeout_s)))
    except ClientDisconnect:
        gateway.left(arrival)
        return Response(status_code=CLIENT_CLOSED_REQUEST)
    except asyncio.CancelledError:
        gateway.left(arrival)
        raise
    return _response(await gateway.handle(arrival, body))


def _request(request: Request) -> messages.Request:
    headers = [(name.lower(), value) for name, value in request.headers.items()]
    return messages.Request(
        method=request.method,
        path=request.scope["path"],
        query=request.scope["query_string"].decode("latin-1"),
        headers=tuple([header for header in headers if header[0] not in VARYING]),
        varying=tuple([header for header in headers if header[0] in VARYING]),
        body=None,
    )


async def _body(request: Request, max_bytes: int) -> bytes | None:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > max_bytes:
            return None
    return bytes(body)


def _response(answer: messages.Answer) -> Response:
    if isinstance(answer.body, bytes):
        response = Response(answer.body, answer.status)
    else:
        response = _Relayed(answer.body, answer.status)
    response.raw_headers += [
        (name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers
    ]
    return response


class _Relayed(StreamingResponse):
    """A streamed answer; a client that leaves, even before the first byte, is still metered."""

    def __init__(self, body: messages.ByteStream, status: int) -> None:
        super().__init__(body, status)
        self._body = body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._body.abandon()
