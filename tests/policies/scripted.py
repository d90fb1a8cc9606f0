"""A backend that answers what a test says, and keeps what it was asked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tollgate.local.servers import serving

STREAM = "text/event-stream; charset=utf-8"


@dataclass
class Scripted:
    """A backend.

    Args:
        pieces: What it answers; at `None` it waits for `go_on`.
        status: With this status.
        headers: And with these headers.
        asked: The requests.
        bodies: Their bodies.
    """

    pieces: Sequence[bytes | None]
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    asked: list[web.Request] = field(default_factory=list[web.Request])
    bodies: list[bytes] = field(default_factory=list[bytes])
    url: str = ""

    @asynccontextmanager
    async def listening(self) -> AsyncGenerator[Scripted]:
        """Serve while the block runs."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        async with serving(app) as self.url:
            yield self

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request)
        self.bodies.append(await request.read())
        response = web.StreamResponse(status=self.status, headers=self.headers)
        await response.prepare(request)
        for piece in self.pieces:
            if piece is None:
                await self.go_on.wait()
            else:
                await response.write(piece)
        await response.write_eof()
        return response


def answers(body: Any, status: int = 200, **headers: str) -> Scripted:
    """A backend that answers JSON."""
    json_type = {"Content-Type": "application/json"}
    return Scripted([json.dumps(body).encode()], status, json_type | headers)


def streams(*pieces: bytes | None) -> Scripted:
    """A backend that streams."""
    return Scripted(pieces, headers={"Content-Type": STREAM})
