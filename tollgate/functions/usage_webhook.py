"""Usage events from an Event Grid subscription that delivers by webhook."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

import azure.functions as func
from azurefunctions.extensions.http.fastapi import Request, Response
from starlette.requests import ClientDisconnect

from tollgate.composition import utc_now
from tollgate.errors import SettingsError
from tollgate.events.webhook import (
    MAX_REQUEST_BYTES,
    Answer,
    about_subscription,
    is_key,
    permission,
    receive,
)
from tollgate.functions.runtime import shared
from tollgate.settings import read_environment

_BODY_S: Final = 20.0
_UNKNOWN: Final = "a request to usage_webhook has not the key of TOLLGATE_WEBHOOK_KEY"
_NOT_SET: Final = "usage_webhook refuses everything: TOLLGATE_WEBHOOK_KEY is not set"
# Event Grid drops what is answered 401, and this may be the day on which a key is changed.
_AGAIN: Final = Answer(503)

blueprint: Final = func.Blueprint()
_log: Final = logging.getLogger(__name__)


@blueprint.function_name("usage_webhook")
@blueprint.route("usage-events", methods=["POST", "OPTIONS"], auth_level=func.AuthLevel.ANONYMOUS)
async def usage_webhook(req: Request) -> Response:
    """Count what is delivered; the caller shows the key that `?key=` of the subscription's URL has.

    What cannot be read is kept as a dead letter, and answered like the rest.
    """
    answer = await _answer(req)
    return Response(answer.body, answer.status, answer.headers)


async def _answer(request: Request) -> Answer:
    keys = read_environment().webhook_keys
    is_handshake = request.method == "OPTIONS"
    if not is_key(request.query_params.get("key", ""), keys or ()):
        _log.warning(_UNKNOWN if keys else _NOT_SET)
        return Answer(401) if is_handshake else _AGAIN
    if is_handshake:
        return permission(request.headers)
    try:
        async with asyncio.timeout(_BODY_S):
            body = await _body(request)
    except (TimeoutError, ClientDisconnect):
        return Answer(408)  # Event Grid delivers again
    if body is None:
        return Answer(413)
    event_type = request.headers.get("aeg-event-type", "")
    return about_subscription(event_type, body) or await _receive(body)


async def _receive(body: bytes) -> Answer:
    try:
        runtime = await shared.intake()
    except SettingsError as error:
        _log.error("events are to be delivered again: %s", error)
        return _AGAIN
    return await receive(body, runtime.intake, utc_now())


async def _body(request: Request) -> bytes | None:
    """The body; None for one that no subscription of Event Grid sends."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_REQUEST_BYTES:
            return None
    return bytes(body)
