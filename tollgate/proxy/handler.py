"""The gateway: from a client's request to its answer and its one usage event."""

from __future__ import annotations

import asyncio
import logging
from traceback import format_tb
from typing import Final

import msgspec

from tollgate.proxy.admission import Admission, Admissions
from tollgate.proxy.answers import with_headers
from tollgate.proxy.concurrency import Concurrency
from tollgate.proxy.failover import Exhausted
from tollgate.proxy.identity import Caller, Directory, Payer, unknown_caller
from tollgate.proxy.listing import Listing
from tollgate.proxy.messages import Answer, Request
from tollgate.proxy.metering import Call, Meter, Outcome
from tollgate.proxy.model_calls import ModelCalls
from tollgate.proxy.refusals import Refusal
from tollgate.proxy.relay import Background
from tollgate.proxy.routes import ListRoute, Route, StoredRoute
from tollgate.proxy.stored_calls import StoredCalls

CLIENT_CLOSED_REQUEST: Final = 499
_log: Final = logging.getLogger(__name__)


class EdgeLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What an edge lets one client hold on to.

    Args:
        max_request_bytes: Longer bodies are not read on, and refused.
        body_timeout_s: For the whole of a body to arrive.
        max_stream_s: For the whole of a stream to be taken.
    """

    max_request_bytes: int = 32 * 1024 * 1024
    body_timeout_s: float = 60
    max_stream_s: float = 3600


class Arrival(msgspec.Struct, frozen=True):
    """A request whose caller is known and whose body is still to be read.

    It must end in `Gateway.handle`, `Gateway.left` or `Gateway.refuse`.
    """

    request: Request
    caller: Caller
    call: Call
    admission: Admission | None


class Gateway:
    """Serves requests; knows no web framework.

    Args:
        directory: Knows the payers.
        admissions: Reads heads, by the same payers.
        model_calls: Serves calls of a model.
        stored_calls: Serves calls about stored responses.
        listing: Knows what is served.
        meter: Takes the events.
        concurrency: Counts what is under way.
        background: Runs what goes on beside the requests.
        limits: For the edges.
    """

    def __init__(  # noqa: PLR0913  the one place where the parts of the request path meet
        self,
        *,
        directory: Directory,
        admissions: Admissions,
        model_calls: ModelCalls,
        stored_calls: StoredCalls,
        listing: Listing,
        meter: Meter,
        concurrency: Concurrency,
        background: Background,
        limits: EdgeLimits,
    ) -> None:
        self._directory = directory
        self._admissions = admissions
        self._model_calls = model_calls
        self._listing = listing
        self._meter = meter
        self._concurrency = concurrency
        self.stored_calls = stored_calls
        self.background = background
        self.limits = limits

    def arrive(self, request: Request) -> Arrival | Answer:
        """Find out who calls, before the body is read; or the answer to one who may not."""
        admission = self._admissions.known(request)
        if admission is not None and not admission.caller.trusted:
            request_id, caller = self._directory.new_id(), admission.caller
        else:
            request_id, caller = self._directory.identify(request)
        call = Call(self._meter, request_id)
        try:
            if caller is None:
                raise unknown_caller()
            tenant = caller.tenant
            call.payer = Payer(tenant=tenant.name, subscription=caller.subscription)
            self._concurrency.enter(tenant.name, tenant.concurrent_requests, request_id)
        except Refusal as refusal:
            return self._refused(call, refusal)
        call.on_end = lambda: self._concurrency.leave(tenant.name, request_id)
        return Arrival(request, caller, call, admission)

    def left(self, arrival: Arrival) -> None:
        """The client left before all of its body was here: nothing was used."""
        arrival.call.left(CLIENT_CLOSED_REQUEST)

    def refuse(self, arrival: Arrival, refusal: Refusal) -> Answer:
        """The edge does not take the request."""
        return self._refused(arrival.call, refusal)

    async def handle(self, arrival: Arrival, body: bytes | None) -> Answer:
        """Answer a request, and record one usage event for it whatever happens.

        Args:
            arrival: The request.
            body: The whole body; None for one that is longer than the edge reads.
        """
        call = arrival.call
        try:
            answer = await self._serve(arrival, body)
        except Refusal as refusal:
            return self._refused(call, refusal)
        except asyncio.CancelledError:
            call.left()
            raise
        except Exception as bug:  # noqa: BLE001  the client gets an answer and the books an event
            log_bug(call.request_id, bug)
            call.record(Outcome(provenance="unknown", tokens=None, status=500))
            answer = Refusal(500, "internal_error", "The gateway failed; see its log.").answer()
        return with_headers(answer, (("x-request-id", call.request_id),))

    async def _serve(self, arrival: Arrival, body: bytes | None) -> Answer:
        call, admission = arrival.call, arrival.admission
        if admission is None:
            admission = self._admissions.admit(arrival.request, arrival.caller, call)
        else:
            call.payer, call.api = admission.payer, admission.route.api
        match admission.route:
            case Route():
                return await self._model_calls.serve(call, admission, arrival.request, body)
            case StoredRoute():
                return await self.stored_calls.serve(call, admission)
            case ListRoute() as route:
                answer = self._listing.answer(route)
                call.refused(answer.status)
                return answer

    def _refused(self, call: Call, refusal: Refusal) -> Answer:
        attempts = refusal.attempts if isinstance(refusal, Exhausted) else 0
        call.refused(refusal.status, attempts)
        return with_headers(refusal.answer(), (("x-request-id", call.request_id),))


def log_bug(request_id: str, bug: Exception) -> None:
    """Where it happened, but not the message: that could hold a key or a part of a prompt."""
    places = "".join(format_tb(bug.__traceback__))
    _log.error("request %s failed: %s\n%s", request_id, type(bug).__name__, places)
