"""Stands in for the Functions host's Event Grid webhook: the same path, the same answers."""

from __future__ import annotations

import logging
from typing import Final

from aiohttp import web

from tollgate.composition import utc_now
from tollgate.errors import Retryable
from tollgate.events.event_grid_schema import cloud_events
from tollgate.events.intake import Intake
from tollgate.events.webhook import MAX_REQUEST_BYTES, SOURCE, Answer, permission, validation

WEBHOOK_PATH: Final = "/runtime/webhooks/EventGrid"
FUNCTION_NAME: Final = "usage_event_grid"
_log: Final = logging.getLogger(__name__)


def triggers_app(intake: Intake) -> web.Application:
    """An application that hands delivered events to `intake`.

    It answers 202 when the events are counted or kept aside, and 500 when Event Grid should deliver
    them again.
    """

    async def notification(request: web.Request) -> web.Response:
        if request.query.get("functionName") != FUNCTION_NAME:
            return web.Response(status=404)
        event_type = request.headers.get("aeg-event-type")
        if event_type == "SubscriptionValidation":
            return _response(validation(await request.read()))
        if event_type != "Notification":
            return web.Response(status=400)
        raws = cloud_events(await request.read())
        try:
            await intake.take(raws, source=SOURCE, now=utc_now())
        except Retryable as error:
            _log.warning("events are to be delivered again: %s", error)
            return web.Response(status=500)
        return web.Response(status=202)

    async def handshake(request: web.Request) -> web.Response:
        return _response(permission({name.lower(): of for name, of in request.headers.items()}))

    app = web.Application(client_max_size=MAX_REQUEST_BYTES)
    app.router.add_post(WEBHOOK_PATH, notification)
    app.router.add_route("OPTIONS", WEBHOOK_PATH, handshake)
    return app


def _response(answer: Answer) -> web.Response:
    return web.Response(body=answer.body, status=answer.status, headers=answer.headers)
