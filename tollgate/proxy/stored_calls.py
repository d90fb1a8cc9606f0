"""Calls about a response that was created before: to read, cancel or delete it.

They go to the backend that holds it, and only for the tenant that created it. Reading uses nothing;
the first who sees the end of a response that ran in the background completes its usage.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final, cast

import msgspec

from tollgate.proxy.admission import Admission
from tollgate.proxy.answers import answer_headers
from tollgate.proxy.attempt import Order
from tollgate.proxy.breaker import Circuit
from tollgate.proxy.deadline import Deadline
from tollgate.proxy.deliveries import StreamDelivery, WholeDelivery
from tollgate.proxy.demand import Demand
from tollgate.proxy.messages import Answer
from tollgate.proxy.metering import Call, Outcome
from tollgate.proxy.model_calls import Routing
from tollgate.proxy.pending_poll import ResponseGone
from tollgate.proxy.pool import Target
from tollgate.proxy.refusals import Refusal
from tollgate.proxy.relay import Background, DrainBounds, StreamRelay
from tollgate.proxy.response_memory import ResponseMemory
from tollgate.proxy.routes import StoredRoute
from tollgate.proxy.stored_responses import StoredResponse
from tollgate.proxy.stored_state import unknown_response
from tollgate.proxy.stream_accounts import ReadingAccount
from tollgate.proxy.stream_flow import StreamFlow
from tollgate.proxy.upstream_requests import stored_request
from tollgate.usage.extraction import Measurement, measure_answer
from tollgate.usage.tokens import NO_TOKENS

# How long a deletion waits for a look at the response.
_LOOK_S: Final = 10.0
_OK: Final = 200
_NOT_FOUND: Final = 404
_API: Final = "responses"


class StoredCalls:
    """Serves calls about stored responses.

    Args:
        routing: Knows the backends.
        memory: Knows who created which response.
        drain: Bounds on reading on when a client has left.
        background: Runs what goes on beside the requests.
    """

    def __init__(
        self, routing: Routing, memory: ResponseMemory, drain: DrainBounds, background: Background
    ) -> None:
        self._routing = routing
        self._memory = memory
        self._drain = drain
        self._background = background

    async def serve(self, call: Call, admission: Admission) -> Answer:
        """Answer one call.

        Args:
            call: Takes its event.
            admission: What the request's head decides; its route is a `StoredRoute`.

        Raises:
            Refusal: It is not this tenant's response, or its backend is out.
        """
        route = cast("StoredRoute", admission.route)
        stored = await self._memory.known(admission.payer.tenant, route.response_id)
        call.alias = stored.alias
        question = _Question(route=route, query=admission.query, headers=admission.headers)
        if route.action == "delete" and stored.pending is not None:
            stored = await self._look(stored)
        delivery = await self._ask(stored, question)
        if isinstance(delivery, StreamDelivery):
            call.streamed = True
            account = ReadingAccount(partial(self._saw, stored))
            relay = StreamRelay(StreamFlow(delivery), call, account, self._drain, self._background)
            return Answer(status=delivery.status, headers=answer_headers(delivery), body=relay)
        await self._learn(stored, route, delivery)
        call.record(_reading(delivery))
        return Answer(status=delivery.status, headers=answer_headers(delivery), body=delivery.body)

    async def poll(self, stored: StoredResponse) -> bytes | None:
        """A stored response as its backend has it now; None if it cannot be had.

        Raises:
            ResponseGone: The backend knows it no more.
        """
        route = StoredRoute(
            response_id=stored.response_id, action="retrieve", surface=stored.surface
        )
        try:
            delivery = await self._ask(stored, _Question(route=route, query=stored.query))
        except Refusal:
            return None
        if not isinstance(delivery, WholeDelivery) or delivery.status not in {_OK, _NOT_FOUND}:
            return None
        if delivery.status == _NOT_FOUND:
            raise ResponseGone(f"{stored.backend} knows the response no more")
        return delivery.body

    async def _look(self, stored: StoredResponse) -> StoredResponse:
        """Complete a response that has ended and is about to be deleted: nobody sees it later.

        One that has not ended, or cannot be had, is followed on; if it is gone then, its usage is
        left to the backfill.
        """
        try:
            with Deadline(_LOOK_S):
                body = await self.poll(stored)
        except (ResponseGone, TimeoutError):
            return stored
        if body is None or not await self._memory.saw(stored, measure_answer(body, _API)):
            return stored
        return msgspec.structs.replace(stored, pending=None)

    async def _ask(
        self, stored: StoredResponse, question: _Question
    ) -> WholeDelivery | StreamDelivery:
        """Ask the backend that holds the response.

        Raises:
            Refusal: It is out, or no backend of the settings any more.
        """
        demand = Demand(alias=stored.alias, backend=stored.backend)
        targets = [
            _Holder(each.backend, each.deployment) for each in self._routing.pool.targets(demand)
        ]
        if not targets:
            raise unknown_response(stored.response_id, None, _NOT_FOUND)
        attempts = self._routing.attempts

        async def attempt(target: Target, number: int) -> WholeDelivery | StreamDelivery:
            headers = {**question.headers, **await attempts.credential(target)}
            request = stored_request(question.route, target.backend.url, question.query, headers)
            order = Order(api=_API, streamed=question.streamed, number=number)
            return await attempts.send(request, target, order)

        return await self._routing.failover.run(targets, attempt, demand)

    async def _learn(
        self, stored: StoredResponse, route: StoredRoute, delivery: WholeDelivery
    ) -> None:
        """What an answer says of how the response is."""
        if delivery.status != _OK:
            return
        if route.action == "delete":
            await self._memory.deleted(stored)
        elif route.action != "input_items":
            await self._memory.saw(stored, measure_answer(delivery.body, _API))

    def _saw(self, stored: StoredResponse, measured: Measurement) -> None:
        async def see() -> None:
            await self._memory.saw(stored, measured)

        self._background.start(see())


class _Holder(Target, frozen=True):
    """Where a response is stored.

    It has a circuit of its own: a deployment without room for more work still gives out what is
    stored, and who reads too often says nothing of that room.
    """

    @property
    def circuit(self) -> Circuit:
        """Not a deployment's name: those have no blanks."""
        return (self.backend.name, f"{self.deployment.name} (stored)")


class _Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of a backend about a response."""

    route: StoredRoute
    query: str
    headers: Mapping[str, str] = {}

    @property
    def streamed(self) -> bool:
        """Whether the answer is wanted as a stream."""
        return "stream=true" in self.query.lower().split("&")


def _reading(delivery: WholeDelivery) -> Outcome:
    return Outcome(
        provenance="none",
        tokens=NO_TOKENS,
        status=delivery.status,
        target=delivery.target,
        attempts=delivery.attempts,
    )
