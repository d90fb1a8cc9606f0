"""Stands in for an Event Grid topic with one webhook subscription, over real HTTP.

It speaks what Event Grid speaks: the key in `aeg-sas-key`, batches of CloudEvents in, single
CloudEvents out with `aeg-` headers, 200 to 204 as success, anything else delivered again. What it
has accepted survives its end: it is kept in a journal until it is delivered.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, Final

import aiohttp
import msgspec
from aiohttp import web

from tollgate.events.journal import Batch, Journal
from tollgate.events.recovery import recover

# Event Grid waits 10 s, 30 s, 1 min, … between deliveries; a desk wants to see it happen.
RETRY_SCHEDULE_S: Final = (0.2, 1.0, 5.0, 30.0)
_DELIVERY_TIMEOUT_S: Final = 30
_SUCCESS: Final = frozenset({200, 201, 202, 203, 204})
_MAX_REQUEST_BYTES: Final = 1024 * 1024
_DELIVERIES_AT_ONCE: Final = 32
_log: Final = logging.getLogger(__name__)


class LocalTopic:
    """A topic.

    Args:
        key: What publishers must send in `aeg-sas-key`.
        webhook_url: Where events are delivered to.
        folder: Where accepted events are kept until they are delivered.
        schedule_s: How long to wait before each further delivery; the last one is repeated.
    """

    def __init__(
        self,
        key: str,
        webhook_url: str,
        folder: Path,
        schedule_s: Sequence[float] = RETRY_SCHEDULE_S,
    ) -> None:
        self._key = key.encode()
        self._webhook_url = webhook_url
        self._folder = folder
        self._schedule_s = schedule_s
        self._queue: asyncio.Queue[tuple[bytes, int]] = asyncio.Queue()
        self._workers: list[asyncio.Task[None]] = []
        self._later: set[asyncio.Task[None]] = set()
        self.undelivered = 0  # events that are accepted and not yet delivered
        self.app = web.Application(client_max_size=_MAX_REQUEST_BYTES)
        self.app.router.add_post("/api/events", self._publish)
        self.app.cleanup_ctx.append(self._deliver_while_running)

    async def _publish(self, request: web.Request) -> web.Response:
        key = request.headers.get("aeg-sas-key", "").encode(errors="replace")
        if not hmac.compare_digest(key, self._key):
            return _error(401, "Unauthorized", "The key in aeg-sas-key is not the topic's.")
        try:
            events = msgspec.json.decode(await request.read(), type=list[dict[str, Any]])
        except msgspec.MsgspecError as error:
            return _error(400, "BadRequest", f"Not a batch of CloudEvents: {error}")
        for event in events:
            if event.get("specversion") != "1.0" or not event.get("id") or not event.get("type"):
                return _error(400, "BadRequest", "Not a CloudEvent: specversion, id or type")
        for event in events:
            encoded = msgspec.json.encode(event)
            self._journal.record_raw(encoded)
            self._accept(encoded)
        return web.Response(status=200)

    def _accept(self, event: bytes) -> None:
        self.undelivered += 1
        self._queue.put_nowait((event, 0))

    async def _deliver_while_running(self, _: web.Application) -> AsyncIterator[None]:
        self._journal = Journal(self._folder)
        recover(self._folder, self._journal)
        for event in self._everything().events:
            self._accept(event)
        async with aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=_DELIVERY_TIMEOUT_S)
        ) as session:
            self._workers = [
                asyncio.create_task(self._deliver_all(session)) for _ in range(_DELIVERIES_AT_ONCE)
            ]
            yield
            for task in (*self._workers, *self._later):
                task.cancel()
            await asyncio.gather(*self._workers, *self._later, return_exceptions=True)
        self._journal.close()

    def _everything(self) -> Batch:
        return self._journal.next_batch(sys.maxsize, sys.maxsize)

    async def _deliver_all(self, session: aiohttp.ClientSession) -> None:
        while True:
            event, deliveries = await self._queue.get()
            if await self._deliver(session, event, deliveries):
                self._delivered()
            else:
                self._deliver_later(event, deliveries + 1)

    def _delivered(self) -> None:
        self.undelivered -= 1
        if self.undelivered == 0:
            self._journal.commit(self._everything())

    async def _deliver(self, session: aiohttp.ClientSession, event: bytes, deliveries: int) -> bool:
        headers = {
            "content-type": "application/cloudevents+json; charset=utf-8",
            "aeg-event-type": "Notification",
            "aeg-delivery-count": str(deliveries),
        }
        try:
            async with session.post(self._webhook_url, data=event, headers=headers) as response:
                return response.status in _SUCCESS
        except (aiohttp.ClientError, OSError, TimeoutError):
            return False

    def _deliver_later(self, event: bytes, deliveries: int) -> None:
        wait_s = self._schedule_s[min(deliveries, len(self._schedule_s)) - 1]
        _log.warning("delivery %d failed; again in %g s", deliveries, wait_s)

        async def put_later() -> None:
            await asyncio.sleep(wait_s)
            self._queue.put_nowait((event, deliveries))

        task = asyncio.create_task(put_later())
        self._later.add(task)
        task.add_done_callback(self._later.discard)


def _error(status: int, code: str, message: str) -> web.Response:
    return web.json_response({"error": {"code": code, "message": message}}, status=status)
