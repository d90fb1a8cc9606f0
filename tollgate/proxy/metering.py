"""From what happened to a request to its usage event."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import Final

import msgspec

from tollgate.proxy.identity import NOBODY, Payer
from tollgate.proxy.pool import Backend, Deployment, Target
from tollgate.proxy.ports import UsageSink
from tollgate.usage.event import (
    CONTROL_CHARACTER,
    Provenance,
    Template,
    UsageData,
    UsageEvent,
    usage_event,
)
from tollgate.usage.extraction import NOTHING_MEASURED, Measurement
from tollgate.usage.tokens import NO_TOKENS, Tokens

_log: Final = logging.getLogger(__name__)

# How the provider names a served model: name and version date.
_LONGEST_NAME: Final = 256
_MOST_TEMPLATES: Final = 4096
_DATED_MODEL: Final = re.compile(r"(?P<model>.+)-(?P<version>\d{4}-\d{2}-\d{2})")


class Clock(msgspec.Struct, frozen=True):
    """The two clocks of the proxy.

    Args:
        now: The time of day, UTC.
        steady_s: A steady clock, in seconds.
    """

    now: Callable[[], datetime]
    steady_s: Callable[[], float]


class Meter:
    """The sink for usage, with what all events of this gateway have in common."""

    def __init__(self, gateway_id: str, sink: UsageSink, clock: Clock) -> None:
        self.gateway_id = gateway_id
        self.sink = sink
        self.clock = clock
        self.templates: dict[tuple[object, ...], Template] = {}  # of events of begun requests


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How a request, or an attempt, ended."""

    provenance: Provenance
    tokens: Tokens | None
    status: int | None
    target: Target | None = None
    measurement: Measurement = NOTHING_MEASURED
    attempts: int = 0
    cancelled: bool = False


class Call:
    """One request from its arrival to its event; the handler fills in what it learns.

    Args:
        meter: Takes the event.
        request_id: The gateway's.

    Attributes:
        on_end: Called once, when the event is emitted.
    """

    def __init__(self, meter: Meter, request_id: str) -> None:
        self._meter = meter
        self._started_s = meter.clock.steady_s()
        self._first_token_ms: int | None = None
        self._begun: UsageData | None = None  # as far as it is known then
        self._recorded = False
        self.request_id = request_id
        self.payer: Payer = NOBODY
        self.api = "unknown"
        self.alias: str | None = None
        self.streamed = False
        self.on_end: Callable[[], None] | None = None

    def begin(self) -> None:
        """The request goes upstream: leave a trace in case the process dies."""
        meter, payer = self._meter, self.payer
        key = (payer, self.api, self.alias, self.streamed)
        template = meter.templates.get(key)
        if template is None:
            if len(meter.templates) >= _MOST_TEMPLATES:
                meter.templates.clear()
            asked = self._asked()
            template = Template(usage_event(self.request_id, meter.clock.now(), asked))
            meter.templates[key] = template
        meter.sink.begin(self.request_id, template.encode(self.request_id, meter.clock.now()))
        self._begun = template.data

    def saw_content(self) -> None:
        """The first content went to the client."""
        if self._first_token_ms is None:
            self._first_token_ms = self._elapsed_ms()

    def record(self, outcome: Outcome) -> UsageEvent | None:
        """Emit the request's one event, and return it; a second call does nothing."""
        if self._recorded:
            return None
        self._recorded = True
        event = self._event(outcome)
        self._emit(event)
        if self.on_end is not None:
            self.on_end()
        return event

    def record_attempt(self, number: int, outcome: Outcome) -> None:
        """Emit the event of an attempt that may have cost tokens and was not delivered."""
        self._emit(self._event(outcome, undelivered_attempt=number))

    def refused(self, status: int, attempts: int = 0) -> None:
        """Emit the event of a request that used nothing for certain."""
        self.record(Outcome(provenance="none", tokens=NO_TOKENS, status=status, attempts=attempts))

    def left(self, status: int | None = None) -> None:
        """Emit the event of a request whose client left; unless it was sent on, it used nothing."""
        provenance, tokens = ("unknown", None) if self._begun else ("none", NO_TOKENS)
        self.record(Outcome(provenance=provenance, tokens=tokens, status=status, cancelled=True))

    def _emit(self, event: UsageEvent) -> None:
        """Hand an event on; an answer that is paid for goes out even if that fails."""
        try:
            self._meter.sink.record(event)
        except OSError as error:
            _log.critical("event %s could not be recorded: %s", event.id, error.strerror or error)

    def _elapsed_ms(self) -> int:
        return int((self._meter.clock.steady_s() - self._started_s) * 1000)

    def _asked(self) -> UsageData:
        """Who asks for what, of which nothing is known yet."""
        payer = self.payer
        return UsageData(
            gateway=self._meter.gateway_id,
            tenant=payer.tenant,
            billing_code=payer.billing_code,
            user=payer.user,
            subscription=payer.subscription,
            priority=payer.priority,
            api=self.api,
            deployment=event_name(self.alias),
            model=None,
            streamed=self.streamed,
            attempts=0,
            provenance="unknown",
            tokens=None,
        )

    def _event(self, outcome: Outcome, undelivered_attempt: int | None = None) -> UsageEvent:
        suffix = "" if undelivered_attempt is None else f".a{undelivered_attempt}"
        measured = outcome.measurement
        deployment, backend = _served(outcome.target, self.alias)
        model, version = model_served(
            (deployment.model, deployment.version), event_name(measured.model)
        )
        data = msgspec.structs.replace(  # at a fifth of what it takes to make one
            self._begun or self._asked(),
            deployment=deployment.name,
            model=model,
            model_version=version,
            deployment_type=deployment.deployment_type,
            scope=deployment.scope,
            backend=backend.name,
            region=backend.region,
            streamed=self.streamed,
            status=outcome.status,
            cancelled=outcome.cancelled,
            delivered=undelivered_attempt is None,
            attempts=outcome.attempts,
            latency_ms=self._elapsed_ms(),
            first_token_ms=self._first_token_ms,
            provenance=outcome.provenance,
            tokens=outcome.tokens,
            units=dict(measured.units) if measured.units else {},
            service_tier=event_name(measured.service_tier),
            response_id=event_name(measured.response_id),
        )
        return usage_event(self.request_id + suffix, self._meter.clock.now(), data)


class _Nothing(msgspec.Struct, frozen=True):
    """Stands for what would have served a call that nothing served."""

    name: str | None = None
    model: None = None
    version: None = None
    deployment_type: None = None
    scope: None = None
    region: None = None


_NO_BACKEND: Final = _Nothing()


def _served(
    target: Target | None, alias: str | None
) -> tuple[Deployment | _Nothing, Backend | _Nothing]:
    """What served the call; where nothing did, the alias that was asked for."""
    if target is None:
        return _Nothing(event_name(alias)), _NO_BACKEND
    return target.deployment, target.backend


@lru_cache(maxsize=1024)
def model_served(
    known: tuple[str | None, str | None], answered: str | None
) -> tuple[str | None, str | None]:
    """Model and version as the answer names them; what is known before says what it leaves open."""
    if answered is None or answered == known[0]:
        return known
    dated = _DATED_MODEL.fullmatch(answered)
    return (dated["model"], dated["version"]) if dated else (answered, None)


def event_name(text: str | None) -> str | None:
    """A provider's or client's text as a name that an event may hold."""
    if not text:
        return None
    if text.isprintable() and len(text) <= _LONGEST_NAME:
        return text
    return CONTROL_CHARACTER.sub("?", text)[:_LONGEST_NAME]
