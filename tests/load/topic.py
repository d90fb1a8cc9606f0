"""A topic that books what it is sent, every delivery of it, and now and then fails after taking."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count
from typing import Final

import msgspec
from aiohttp import web
from load.gateway_process import TOPIC_KEY

from tollgate.ledger.memory_ledger import MemoryLedger
from tollgate.usage.event import UsageData, decode_event
from tollgate.usage.periods import Month

PATH: Final = "/api/events"
# A publisher sends a batch again of which it does not know that it was taken.
_FAILS_EVERY: Final = 7


class BookingTopic:
    """Speaks as an Event Grid topic does.

    Attributes:
        app: The web application.
        events: The first delivery of each id.
        bodies: The different bodies of each id; more than one is a contradiction.
        deliveries: How many events were delivered, repeated ones included.
        ledger: Has been given every delivery.
    """

    def __init__(self) -> None:
        self.events: dict[str, UsageData] = {}
        self.bodies: dict[str, set[bytes]] = {}
        self.deliveries = 0
        self.ledger = MemoryLedger()
        self._requests = count(1)
        self._months: set[str] = set()
        self.app = web.Application(client_max_size=2_000_000)
        self.app.router.add_post(PATH, self._publish)

    @property
    def requests(self) -> dict[str, UsageData]:
        """The events of requests, without those of attempts that were not delivered."""
        return {key: data for key, data in self.events.items() if data.delivered}

    @property
    def contradictions(self) -> list[str]:
        """The ids that came with two bodies."""
        return [key for key, bodies in self.bodies.items() if len(bodies) > 1]

    def booked(self) -> tuple[int, int]:
        """Requests and tokens in the cells of the ledger."""
        cells = [
            cell.usage
            for month in map(Month.parse, self._months)
            for cell in self.ledger.money_cells(month)
        ]
        tokens = sum(meter.quantity for usage in cells for meter in usage.meters.values())
        return sum(usage.requests for usage in cells), tokens

    def tokens(self) -> int:
        """Tokens of the different events."""
        counted = [data.tokens for data in self.events.values() if data.tokens is not None]
        return sum((tokens.input or 0) + (tokens.output or 0) for tokens in counted)

    async def _publish(self, request: web.Request) -> web.Response:
        if request.headers.get("aeg-sas-key") != TOPIC_KEY:
            return web.Response(status=401)
        for raw in msgspec.json.decode(await request.read(), type=list[msgspec.Raw]):
            await self._take(bytes(raw))
        fails = next(self._requests) % _FAILS_EVERY == 0
        return web.Response(status=503 if fails else 200)

    async def _take(self, raw: bytes) -> None:
        received = decode_event(raw)
        event = received.event
        self.deliveries += 1
        self.events.setdefault(event.id, event.data)
        self.bodies.setdefault(event.id, set()).add(received.body)
        self._months.add(event.time.strftime("%Y-%m"))
        now = datetime.now(UTC)  # noqa: TID251  the gateway's events bear real time
        await self.ledger.apply([received], now=now)
