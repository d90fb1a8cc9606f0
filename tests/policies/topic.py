"""An Event Grid topic, and what an event that reaches one must be."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from aiohttp import web
from jsonschema import Draft202012Validator, ValidationError

from tollgate.errors import InvalidEvent
from tollgate.usage.event import UsageEvent, decode_event

SCHEMA: Final[Any] = Draft202012Validator(
    json.loads(
        (Path(__file__).parents[2] / "tollgate/usage/usage_event.v1.json").read_text("utf-8")
    )
)


@dataclass
class Topic:
    """An Event Grid topic: it takes batches of CloudEvents from the gateway's identity."""

    events: list[UsageEvent] = field(default_factory=list[UsageEvent])
    refused: list[str] = field(default_factory=list[str])

    async def publish(self, request: web.Request) -> web.Response:
        """`POST /api/events`, as Event Grid checks it."""
        if (
            request.headers.get("Authorization")
            != "Bearer identity-for-https://eventgrid.azure.net"
        ):
            self.refused.append("no identity")
        elif "api-key" in request.headers:
            self.refused.append("the key of a client")
        elif request.query.get("api-version") != "2018-01-01":
            self.refused.append("no api-version")
        elif request.content_type != "application/cloudevents-batch+json":
            self.refused.append(request.content_type)
        else:
            for each in json.loads(await request.read()):
                self._take(json.dumps(each).encode())
        return web.Response()

    def _take(self, raw: bytes) -> None:
        try:
            self.events.append(checked_event(raw))
        except (InvalidEvent, ValidationError) as error:
            self.refused.append(str(error))


def checked_event(raw: bytes) -> UsageEvent:
    """An event that the ledger takes, and that holds nothing but what its schema names."""
    event = decode_event(raw).event
    members = json.loads(raw)
    SCHEMA.validate(members)
    assert set(members) == set(SCHEMA.schema["properties"])
    assert set(members["data"]) <= set(SCHEMA.schema["$defs"]["data"]["properties"])
    return event
