"""Calls of a model: from the client's request to the answer of some region, and its usage."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, cast

import msgspec

from tollgate.proxy.admission import Admission
from tollgate.proxy.answers import answer_headers, remaining_headers
from tollgate.proxy.attempt import Attempts
from tollgate.proxy.deliveries import Delivery, SoundDelivery, StreamDelivery, WholeDelivery
from tollgate.proxy.demand import Demand
from tollgate.proxy.failover import Failover
from tollgate.proxy.latency import Kind, Latencies
from tollgate.proxy.messages import Answer, Headers, Request
from tollgate.proxy.metering import Call, Outcome
from tollgate.proxy.pool import Pool, Target
from tollgate.proxy.ports import BackendFailed
from tollgate.proxy.prompts import CountTokens, Prompt, find_alias, read_prompt
from tollgate.proxy.refusals import Refusal
from tollgate.proxy.relay import Background, DrainBounds, StreamRelay
from tollgate.proxy.response_memory import ResponseMemory
from tollgate.proxy.routes import Route
from tollgate.proxy.sound_relay import SoundRelay
from tollgate.proxy.stored_state import (
    previous_response,
    refuse_stored_state,
)
from tollgate.proxy.stream_accounts import CallAccount
from tollgate.proxy.stream_flow import StreamFlow
from tollgate.proxy.upstream_requests import Plan, forwarded_headers, plan_of
from tollgate.proxy.whole_answers import outcome_of, outcome_of_sound
from tollgate.usage.event import UsageEvent
from tollgate.usage.extraction import NOTHING_MEASURED

_OK: Final = 200
_JOURNAL_RETRY_S: Final = 10.0
# What Azure counts for an answer whose request does not bound it.
_UNBOUNDED_ANSWER_TOKENS: Final = 16
# A client that states more than any model can would keep everybody else out for a minute.
_LONGEST_ANSWER_TOKENS: Final = 128_000
_MOST_ANSWERS: Final = 128
_BOUNDS: Final = ("max_completion_tokens", "max_output_tokens", "max_tokens")
_log: Final = logging.getLogger(__name__)


class Routing(msgspec.Struct, frozen=True, kw_only=True):
    """Who may serve a call, and how it moves between them."""

    pool: Pool
    failover: Failover
    attempts: Attempts
    steady_s: Callable[[], float]
    latencies: Latencies | None = None
    count_tokens: CountTokens | None = None


class ModelCalls:
    """Serves calls of a model.

    Args:
        routing: Finds who answers.
        memory: Knows who created which response.
        drain: Bounds on reading on when a client has left.
        background: Runs what goes on beside the requests.
    """

    def __init__(
        self, routing: Routing, memory: ResponseMemory, drain: DrainBounds, background: Background
    ) -> None:
        self._routing = routing
        self._counts_capacity = bool(routing.pool.limits)
        self._memory = memory
        self._drain = drain
        self._background = background

    async def serve(
        self, call: Call, admission: Admission, request: Request, body: bytes | None
    ) -> Answer:
        """Answer one call.

        Args:
            call: Takes its event.
            admission: What the request's head decides; its route is a `Route`.
            request: The request, for those of its headers that vary.
            body: Its whole body; None for one that was too long.

        Raises:
            Refusal: The gateway does not serve it, or no region does.
        """
        route = cast("Route", admission.route)
        prompt = read_prompt(route, admission.content_type, body)
        call.streamed = prompt.streamed
        alias = call.alias = find_alias(route, prompt)
        demand = await self._demand(alias, admission, prompt)
        targets = self._routing.pool.targets(demand)
        if not targets:
            raise _nobody_serves(demand)
        headers = admission.headers
        if request.varying:
            headers = {**headers, **forwarded_headers(request.varying)}
        plan = plan_of(route, alias, prompt, query=admission.query, headers=headers)
        begin(call)
        way = _Way(self._routing, call, plan, targets, demand)
        delivery = await way.first()
        if isinstance(delivery, StreamDelivery):
            # What runs on in the background has a name that the client knows: it stays where it is.
            moves = prompt.streamed and prompt.members.get("background") is not True
            return self._relay(call, plan, StreamFlow(delivery, way.again if moves else None))
        if isinstance(delivery, SoundDelivery):
            relay = SoundRelay(delivery, call, outcome_of_sound(delivery, route.api, prompt))
            return Answer(status=delivery.status, headers=self._headers(delivery), body=relay)
        return await self._whole(call, plan, delivery)

    async def _demand(self, alias: str, admission: Admission, prompt: Prompt) -> Demand:
        refuse_stored_state(prompt.members)
        previous, stored = previous_response(prompt.members), None
        if previous is not None:
            stored = await self._memory.previous(admission.payer.tenant, previous)
        return Demand(
            alias=alias,
            lane=admission.payer.priority or "high",
            tokens=self._most_tokens(prompt),
            client_region=admission.client_region,
            backend=None if stored is None else stored.backend,
            kind="first_frame" if prompt.streamed else "whole",
        )

    def _most_tokens(self, prompt: Prompt) -> int:
        """What the call may use at most; 0 where no capacity is counted."""
        if not self._counts_capacity:
            return 0
        stated = [_count(prompt.members.get(name)) for name in _BOUNDS]
        bound = next((count for count in stated if count), _UNBOUNDED_ANSWER_TOKENS)
        answers = min(_count(prompt.members.get("n")) or 1, _MOST_ANSWERS)
        return prompt.tokens() + min(bound, _LONGEST_ANSWER_TOKENS) * answers

    def _relay(self, call: Call, plan: Plan, flow: StreamFlow) -> Answer:
        delivery = flow.delivery
        call.streamed = True

        def remember(response_id: str, event: UsageEvent | None) -> None:
            tenant, target = call.payer.tenant, flow.delivery.target
            self._background.start(self._memory.created(tenant, plan, target, response_id, event))

        account = CallAccount(
            plan, remember if _is_stored(plan) else None, self._routing.count_tokens
        )
        relay = StreamRelay(flow, call, account, self._drain, self._background)
        return Answer(status=delivery.status, headers=self._headers(delivery), body=relay)

    async def _whole(self, call: Call, plan: Plan, delivery: WholeDelivery) -> Answer:
        count_tokens = self._routing.count_tokens
        outcome = outcome_of(delivery, plan.route.api, plan.prompt, count_tokens)
        event = call.record(outcome)
        response_id = outcome.measurement.response_id
        if response_id is not None and _is_stored(plan):
            pending = event if outcome.provenance == "pending" else None
            tenant, target = call.payer.tenant, delivery.target
            created = self._memory.created(tenant, plan, target, response_id, pending)
            # A request that is cut short must not leave a pending event that nobody follows.
            await asyncio.shield(self._background.start(created))
        return Answer(status=delivery.status, headers=self._headers(delivery), body=delivery.body)

    def _headers(self, delivery: Delivery) -> Headers:
        if not self._counts_capacity:
            return answer_headers(delivery)
        left = self._routing.failover.remaining(delivery.asked)
        return (*answer_headers(delivery), *remaining_headers(left))


class _Way:
    """One call's way through the backends."""

    def __init__(
        self, routing: Routing, call: Call, plan: Plan, targets: list[Target], demand: Demand
    ) -> None:
        self._routing = routing
        self._call = call
        self._plan = plan
        self._kind: Kind = demand.kind
        self._journey = routing.failover.start(targets, demand)
        self._delivered: Delivery | None = None

    def first(self) -> Awaitable[Delivery]:
        """The first good answer.

        Raises:
            Exhausted: There is none.
        """
        return self._journey.go(self._attempt)

    async def again(self, failure: BackendFailed) -> Delivery:
        """The next one, after a stream that turned out bad; raises as `first`.

        Only when another stream goes on is the first one an attempt that was not delivered; else it
        is what the request's own event is about.
        """
        before = self._delivered
        self._journey.turned_bad(failure)
        delivery = await self._journey.go(self._attempt)
        if isinstance(delivery, WholeDelivery):
            outcome = outcome_of(delivery, self._plan.route.api, self._plan.prompt)
            self._call.record_attempt(delivery.attempts, outcome)
        elif before is not None:
            self._note(before.asked, failure, before.attempts)
        return delivery

    async def _attempt(self, target: Target, number: int) -> Delivery:
        routing = self._routing
        started_s = routing.steady_s()
        try:
            delivery = await routing.attempts.make(self._plan, target, number)
        except BackendFailed as failure:
            self._note(target, failure, number)
            raise
        except asyncio.CancelledError:
            if self._delivered is not None:  # the request's own event is about another one
                self._call.record_attempt(number, _unknown(target, number))
            raise
        routing.failover.answered(target, delivery.headers)
        if routing.latencies is not None and delivery.status == _OK:
            seconds = routing.steady_s() - started_s
            routing.latencies.observe(target.circuit, self._kind, seconds)
        self._delivered = delivery
        return delivery

    def _note(self, target: Target, failure: BackendFailed, number: int) -> None:
        _log.warning("request %s attempt %d: %s", self._call.request_id, number, failure)
        if failure.may_have_cost:
            self._call.record_attempt(number, _attempt_outcome(target, failure, number))


def _nobody_serves(demand: Demand) -> Refusal:
    if demand.backend is None:
        return Refusal(404, "DeploymentNotFound", "This deployment does not exist here.")
    return Refusal(
        404,
        "DeploymentNotFound",
        "The region that has the previous response does not serve this deployment: send the whole "
        "conversation as input.",
    )


def _count(value: object) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    return None


def _is_stored(plan: Plan) -> bool:
    """Whether the answer can be referred to later."""
    return plan.route.api == "responses" and plan.prompt.members.get("store") is not False


def _unknown(target: Target, number: int) -> Outcome:
    """What an attempt used that was cut off: nobody told us."""
    return Outcome(provenance="unknown", tokens=None, status=None, target=target, attempts=number)


def _attempt_outcome(target: Target, failure: BackendFailed, number: int) -> Outcome:
    """What an attempt used that broke off after it was sent; mostly nobody told us."""
    measured = failure.measurement
    return Outcome(
        provenance="unknown" if measured.tokens is None else "measured",
        tokens=measured.tokens,
        status=failure.status,
        target=target,
        measurement=NOTHING_MEASURED if measured.tokens is None else measured,
        attempts=number,
    )


def begin(call: Call) -> None:
    """Note that a call goes upstream.

    Raises:
        Refusal: 503 if that cannot be noted.
    """
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
