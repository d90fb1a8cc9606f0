"""What a stream is counted as: a call of a model, or the reading of a stored response."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tollgate.proxy.metering import Outcome
from tollgate.proxy.prompts import CountTokens
from tollgate.proxy.stream_flow import StreamFlow
from tollgate.proxy.upstream_requests import Plan
from tollgate.usage.estimate import estimated_counts
from tollgate.usage.event import Provenance, UsageEvent
from tollgate.usage.extraction import FrameKind, Measurement, StreamMeter
from tollgate.usage.sse import Frame
from tollgate.usage.tokens import NO_TOKENS, Tokens

# The text of these is what they are billed by, so that it can be counted in the provider's place.
_TEXT: Final = frozenset({"chat.completions", "completions", "responses"})


# Told of a stored response's id, once it is known, and of its usage event if that is pending.
Remember = Callable[[str, UsageEvent | None], None]


class CallAccount:
    """A streamed call of a model.

    Args:
        plan: The request.
        remember: For an answer that is stored.
        count_tokens: The tokenizer for an estimate, if there is one.
    """

    def __init__(
        self,
        plan: Plan,
        remember: Remember | None = None,
        count_tokens: CountTokens | None = None,
    ) -> None:
        self._plan = plan
        self._count_tokens = count_tokens
        self._remember = remember
        self._remembered = False
        self.hides_usage = plan.injects_usage

    def saw(self, meter: StreamMeter, frame: Frame, kind: FrameKind) -> None:
        """See `Account.saw`."""
        del frame, kind
        if self._remember is None or self._remembered:
            return
        if (response_id := meter.measurement.response_id) is not None:
            self._remembered = True
            self._remember(response_id, None)

    def recorded(self, event: UsageEvent) -> None:
        """See `Account.recorded`."""
        response_id = event.data.response_id
        pending = event.data.provenance == "pending"
        if pending and self._remember is not None and response_id is not None:
            self._remember(response_id, event)

    def outcome(self, flow: StreamFlow) -> Outcome:
        """See `Account.outcome`."""
        provenance, tokens = self._usage(flow.meter)
        return Outcome(
            provenance=provenance,
            tokens=tokens,
            status=flow.delivery.status,
            target=flow.delivery.target,
            measurement=flow.meter.measurement,
            attempts=flow.delivery.attempts,
        )

    def _usage(self, meter: StreamMeter) -> tuple[Provenance, Tokens | None]:
        measured = meter.measurement
        if measured.tokens is not None or measured.units:
            return ("injected" if self._plan.injects_usage else "measured"), measured.tokens
        if self._runs_on(measured):
            return "pending", None
        if self._plan.route.api in _TEXT:
            asked = self._plan.prompt.tokens(self._count_tokens)
            return "estimated", estimated_counts(asked, meter.output.tokens())
        return "unknown", None

    def _runs_on(self, measured: Measurement) -> bool:
        """Whether the response goes on in the background, with or without us."""
        background = self._plan.prompt.members.get("background") is True
        return background and measured.response_id is not None


class ReadingAccount:
    """A stream that repeats what a response brought, which was counted when it was created.

    Args:
        on_end: Called when the stream says how the response ended.
    """

    def __init__(self, on_end: Callable[[Measurement], None]) -> None:
        self.hides_usage = False
        self._on_end = on_end

    def saw(self, meter: StreamMeter, frame: Frame, kind: FrameKind) -> None:
        """See `Account.saw`."""
        del frame
        if kind in {"done", "error"}:
            self._on_end(meter.measurement)

    def recorded(self, event: UsageEvent) -> None:
        """See `Account.recorded`; nothing is left to do."""

    def outcome(self, flow: StreamFlow) -> Outcome:
        """See `Account.outcome`; reading uses nothing."""
        return Outcome(
            provenance="none",
            tokens=NO_TOKENS,
            status=flow.delivery.status,
            target=flow.delivery.target,
            measurement=Measurement(response_id=flow.meter.measurement.response_id),
            attempts=flow.delivery.attempts,
        )
