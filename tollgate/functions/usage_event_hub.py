"""Usage events from an event hub, in batches."""

from __future__ import annotations

import logging
from typing import Final, List  # noqa: UP035  see below

import azure.functions as func

from tollgate.composition import utc_now
from tollgate.events.payloads import split_payload
from tollgate.functions.runtime import shared

blueprint: Final = func.Blueprint()
_log: Final = logging.getLogger(__name__)


@blueprint.function_name("usage_event_hub")
@blueprint.event_hub_message_trigger(
    "events",
    connection="EVENTHUB_CONNECTION",
    event_hub_name="%EVENTHUB_NAME%",
    data_type=func.DataType.BINARY,
    cardinality=func.Cardinality.MANY,
    consumer_group="%EVENTHUB_CONSUMER_GROUP%",
)
@blueprint.retry(
    strategy="exponential_backoff",
    max_retry_count="-1",
    minimum_interval="00:00:02",
    maximum_interval="00:02:00",
)
async def usage_event_hub(events: List[func.EventHubEvent]) -> None:  # noqa: UP006  the worker refuses list[…]
    """Count a batch.

    The host moves on whether this succeeds or not, so what cannot be read is kept as dead letters
    one by one, and only a failure of the store is raised, under a retry policy without end.
    """
    runtime = await shared.intake()
    raws = [raw for event in events for raw in _events_of(event.get_body())]
    await runtime.intake.take(raws, source="event-hub", now=utc_now())


def _events_of(body: bytes) -> list[bytes]:
    """The events of a message: one JSON object, or an array of them, as Event Grid may send it."""
    try:
        return split_payload(body)
    except Exception:  # noqa: BLE001  a bug must not have the host give this batch for ever
        _log.exception("a bug in a message of %d bytes; it is taken for one event", len(body))
        return [body]
