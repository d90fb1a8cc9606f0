"""The gateway: from a client's request to its answer and its one usage event."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from traceback import format_tb
from typing import Final
from urllib.parse import quote

import msgspec

from tollgate.proxy.attempt import Attempts, Delivery, StreamDelivery, WholeDelivery
from tollgate.proxy.billing_parameters import read_claims, split_query
from tollgate.proxy.failover import Exhausted, Failover
from tollgate.proxy.identity import Directory, Payer, forwarded_claims
from tollgate.proxy.messages import Answer, Headers, Request
from tollgate.proxy.metering import Call, Meter, Outcome
from tollgate.proxy.pool import Pool, Target
from tollgate.proxy.ports import BackendFailed
from tollgate.proxy.refusals import Refusal
from tollgate.proxy.relay import Background, StreamPlan, StreamRelay
from tollgate.proxy.routes import find_route
from tollgate.proxy.upstream_requests import (
    Plan,
    find_alias,
    read_prompt,
    refuse_stored_state,
)
from tollgate.proxy.whole_answers import outcome_of

CLIENT_CLOSED_REQUEST: Final = 499
_JOURNAL_RETRY_S: Final = 10.0
_log: Final = logging.getLogger(__name__)

# Headers of an upstream's answer that speak of its connection, or of its body's form there.
_DROPPED: Final = frozenset(
    {
        "alt-svc",
        "connection",
        "content-encoding",
        "content-length",
        "date",
        "keep-alive",
        "location",
        "proxy-authenticate",
        "proxy-connection",
        "server",
        "set-cookie",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "www-authenticate",
        "x-request-id",
    }
)
_OURS: Final = "x-tollgate-"


class Gateway:
    """Serves requests; knows no web framework.

    Args:
        directory: Knows the payers.
        pool: Knows the backends.
        failover: Moves between them.
        attempts: Talks to them.
        meter: Takes the events.
        drain_timeout_s: How long a stream is read on after its client has left.
    """

    def __init__(  # noqa: PLR0913  the one place where the parts of the request path meet
        self,
        *,
        directory: Directory,
        pool: Pool,
        failover: Failover,
        attempts: Attempts,
        meter: Meter,
        drain_timeout_s: float,
    ) -> None:
        self._directory = directory
        self._pool = pool
        self._failover = failover
        self._attempts = attempts
        self._meter = meter
        self._drain_timeout_s = drain_timeout_s
        self.background = Background()

    def refusal_of(self, request: Request) -> Answer | None:
        """The answer to a caller who is unknown, so that nobody reads its body; else None."""
        try:
            self._directory.authenticate(request)
        except Refusal as refusal:
            call = Call(self._meter, self._directory.request_id(request))
            call.refused(refusal.status)
            return _with_headers(refusal.answer(), (("x-request-id", call.request_id),))
        return None

    def client_left(self, request: Request) -> None:
        """Book a request whose client left before all of its body was here: nothing was used."""
        call = Call(self._meter, self._directory.request_id(request))
        with suppress(Refusal):
            caller = self._directory.authenticate(request)
            call.payer = Payer(tenant=caller.tenant.name, subscription=caller.subscription)
        call.left(CLIENT_CLOSED_REQUEST)

    async def handle(self, request: Request) -> Answer:
        """Answer a request, and record one usage event for it whatever happens."""
        call = Call(self._meter, self._directory.request_id(request))
        try:
            answer = await self._serve(call, request)
        except Refusal as refusal:
            attempts = refusal.attempts if isinstance(refusal, Exhausted) else 0
            call.refused(refusal.status, attempts)
            answer = refusal.answer()
        except asyncio.CancelledError:
            call.left()
            raise
        except Exception as bug:  # noqa: BLE001  the client gets an answer and the books an event
            _log_bug(call.request_id, bug)
            call.record(Outcome(provenance="unknown", tokens=None, status=500))
            answer = Refusal(500, "internal_error", "The gateway failed; see its log.").answer()
        return _with_headers(answer, (("x-request-id", call.request_id),))

    async def _serve(self, call: Call, request: Request) -> Answer:
        found, query = split_query(request.query)
        caller = self._directory.authenticate(request)
        call.payer = Payer(tenant=caller.tenant.name, subscription=caller.subscription)
        claims = forwarded_claims(request) if caller.trusted else read_claims(found)
        call.payer = self._directory.payer(caller, claims)
        route = find_route(request.method, request.path)
        call.api = route.api
        prompt = read_prompt(request.body)
        refuse_stored_state(prompt)
        call.streamed = prompt.streamed
        call.alias = find_alias(route, prompt)
        targets = self._pool.targets(call.alias)
        if not targets:
            raise Refusal(404, "DeploymentNotFound", "This deployment does not exist here.")
        plan = Plan(route=route, query=query, headers=request.headers, prompt=prompt)
        _begin(call)
        return await self._deliver(call, plan, targets)

    async def _deliver(self, call: Call, plan: Plan, targets: list[Target]) -> Answer:
        async def attempt(target: Target, number: int) -> Delivery:
            try:
                return await self._attempts.make(plan, target, number)
            except BackendFailed as failure:
                _log.warning("request %s attempt %d: %s", call.request_id, number, failure)
                if failure.may_have_cost:
                    call.record_attempt(number, _undelivered(target, failure, number))
                raise

        delivery = await self._failover.run(targets, attempt)
        if isinstance(delivery, StreamDelivery):
            return self._relay(call, plan, delivery)
        return _whole(call, plan, delivery)

    def _relay(self, call: Call, plan: Plan, delivery: StreamDelivery) -> Answer:
        call.streamed = True
        stream_plan = StreamPlan(
            target=delivery.target,
            attempts=delivery.attempts,
            status=delivery.status,
            injected=plan.injects_usage,
            prompt_characters=plan.prompt.characters,
            drain_timeout_s=self._drain_timeout_s,
        )
        relay = StreamRelay(delivery.frames, delivery.first, call, stream_plan, self.background)
        return Answer(status=delivery.status, headers=_answer_headers(delivery), body=relay)


def _begin(call: Call) -> None:
    try:
        call.begin()
    except OSError as error:
        _log.critical(
            "request %s is refused: the journal cannot be written: %s", call.request_id, error
        )
        raise Refusal(
            503,
            "journal_unavailable",
            "The gateway cannot keep its books at the moment; try again later.",
            retry_after_s=_JOURNAL_RETRY_S,
        ) from None


def _log_bug(request_id: str, bug: Exception) -> None:
    """Where it happened, but not the message: that could hold a key or a part of a prompt."""
    places = "".join(format_tb(bug.__traceback__))
    _log.error("request %s failed: %s\n%s", request_id, type(bug).__name__, places)


def _whole(call: Call, plan: Plan, delivery: WholeDelivery) -> Answer:
    call.record(outcome_of(delivery, plan.prompt))
    return Answer(status=delivery.status, headers=_answer_headers(delivery), body=delivery.body)


def _undelivered(target: Target, failure: BackendFailed, number: int) -> Outcome:
    """What an attempt used that broke off after it was sent: nobody told us."""
    return Outcome(
        provenance="unknown", tokens=None, status=failure.status, target=target, attempts=number
    )


def _answer_headers(delivery: Delivery) -> Headers:
    passed = tuple(
        (name, value)
        for name, value in delivery.headers
        if name not in _DROPPED and not name.startswith(_OURS)
    )
    return (
        *passed,
        ("x-tollgate-backend", quote(delivery.target.backend.name)),
        ("x-tollgate-attempts", str(delivery.attempts)),
    )


def _with_headers(answer: Answer, more: Headers) -> Answer:
    return msgspec.structs.replace(answer, headers=(*answer.headers, *more))
