"""A topic that speaks as Event Grid does, and answers as a test tells it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
from aiohttp import web

TOPIC_KEY = "topic-key"
PATH = "/api/events"


class Topic:
    """Keeps what is published to `app`.

    `answers` are the statuses of the next requests; then `refuses` may give one for a batch.
    """

    def __init__(self) -> None:
        self.requests: list[web.Request] = []
        self.batches: list[list[dict[str, Any]]] = []
        self.answers: list[int] = []
        self.refuses: Callable[[list[dict[str, Any]]], int] = lambda _: 0
        self.app = web.Application(client_max_size=2_000_000)
        self.app.router.add_post(PATH, self._publish)
        self._news = asyncio.Event()

    @property
    def events(self) -> list[dict[str, Any]]:
        """All events taken."""
        return [event for batch in self.batches for event in batch]

    async def received(self, count: int) -> list[dict[str, Any]]:
        """All events, once there are so many."""
        async with asyncio.timeout(10):
            while len(self.events) < count:
                self._news.clear()
                await self._news.wait()
        return self.events

    async def _publish(self, request: web.Request) -> web.Response:
        self.requests.append(request)
        events = msgspec.json.decode(await request.read(), type=list[dict[str, Any]])
        status = self.answers.pop(0) if self.answers else self.refuses(events) or 200
        if status == web.HTTPOk.status_code:
            self.batches.append(events)
            self._news.set()
        return web.Response(status=status, headers={"Retry-After": "0"} if status == 429 else {})
