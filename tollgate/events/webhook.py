"""What an Event Grid subscription that delivers by webhook is answered; knows no web framework.

Event Grid takes 200 to 204 as success, delivers again after 5xx, and gives an event up after some
4xx. So 2xx is said only once the events are kept, and a delivery never gets a 4xx.
"""

from __future__ import annotations

import hmac
import logging
from asyncio import timeout
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec

from tollgate.errors import Retryable
from tollgate.events.event_grid_schema import cloud_events
from tollgate.events.intake import Intake

SOURCE: Final = "event-grid"
MAX_REQUEST_BYTES: Final = (
    2 * 1024 * 1024
)  # Event Grid's own limit is 1 MB, for an event or a batch
_ANSWER_S: Final = 25.0  # Event Grid waits 30 s
_KEPT: Final = 200
_AGAIN: Final = 503
_log: Final = logging.getLogger(__name__)


class Answer(msgspec.Struct, frozen=True):
    """An HTTP answer."""

    status: int
    headers: dict[str, str] = {}
    body: bytes = b""


class _Validation(msgspec.Struct, rename="camel"):
    validation_code: str


class _ValidationEvent(msgspec.Struct):
    data: _Validation


_validation: Final = msgspec.json.Decoder(list[_ValidationEvent])


def is_key(given: str, keys: Sequence[str]) -> bool:
    """Whether `given` is one of the keys; takes the same time whichever it is."""
    matches = [hmac.compare_digest(given.encode(errors="replace"), key.encode()) for key in keys]
    return any(matches)


def permission(headers: Mapping[str, str]) -> Answer:
    """Answers the handshake of CloudEvents: this origin may deliver, as fast as it likes."""
    origin = headers.get("webhook-request-origin")
    if not origin:
        return Answer(400, body=b"WebHook-Request-Origin is missing.")
    rate = {"WebHook-Allowed-Rate": "*"} if "webhook-request-rate" in headers else {}
    return Answer(200, {"Allow": "POST", "WebHook-Allowed-Origin": origin, **rate})


def validation(body: bytes) -> Answer:
    """Answers the handshake of Event Grid's schema: its code, sent back."""
    try:
        (event,) = _validation.decode(body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return Answer(400, body=b"Not one SubscriptionValidationEvent.")
    answer = msgspec.json.encode({"validationResponse": event.data.validation_code})
    return Answer(200, {"Content-Type": "application/json"}, answer)


def about_subscription(event_type: str, body: bytes) -> Answer | None:
    """Answers what Event Grid says of the subscription itself; None for a delivery.

    Args:
        event_type: The header `aeg-event-type`.
        body: What came with it.
    """
    if event_type == "SubscriptionValidation":
        return validation(body)
    return Answer(_KEPT) if event_type == "SubscriptionDeletion" else None


async def receive(body: bytes, intake: Intake, now: datetime) -> Answer:
    """Answer a delivery.

    Args:
        body: One event or a JSON array, CloudEvents or Event Grid's schema.
        intake: Takes the events.
        now: The time of day.
    """
    try:
        async with timeout(_ANSWER_S):
            await intake.take(cloud_events(body), source=SOURCE, now=now)
    except (Retryable, TimeoutError) as error:
        reason = str(error) or f"the store did not take them in {_ANSWER_S:g} s"
        _log.warning("events are to be delivered again: %s", reason)
        return Answer(_AGAIN)
    return Answer(_KEPT)
