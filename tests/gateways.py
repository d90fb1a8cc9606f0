"""Puts a gateway together for tests, in front of whatever upstream they bring."""

from __future__ import annotations

from proxying import FakeClock, backend, directory

from tollgate.proxy.admission import Admissions
from tollgate.proxy.attempt import AttemptBounds, Attempts
from tollgate.proxy.breaker import BreakerRules, Breakers
from tollgate.proxy.capacity import Capacities
from tollgate.proxy.concurrency import Concurrency
from tollgate.proxy.failover import Failover
from tollgate.proxy.handler import EdgeLimits, Gateway
from tollgate.proxy.identity import Directory
from tollgate.proxy.listing import Listing
from tollgate.proxy.messages import Answer, Request
from tollgate.proxy.metering import Clock, Meter
from tollgate.proxy.model_calls import ModelCalls, Routing
from tollgate.proxy.pending_responses import Completions
from tollgate.proxy.pool import Backend, Pool
from tollgate.proxy.ports import Upstream, UsageSink
from tollgate.proxy.relay import Background, DrainBounds
from tollgate.proxy.response_memory import ResponseMemory
from tollgate.proxy.stored_calls import StoredCalls
from tollgate.proxy.stored_in_memory import MemoryResponses
from tollgate.proxy.stored_responses import ResponseStore


def gateway(  # noqa: PLR0913  each has a default that most tests keep
    upstream: Upstream,
    sink: UsageSink,
    *,
    backends: tuple[Backend, ...] = (backend("weu-1"), backend("neu-1", priority=2)),
    clock: Clock | None = None,
    rules: BreakerRules | None = None,
    timeout_s: float = 1.0,
    drain: DrainBounds = DrainBounds(timeout_s=1.0, tokens=1000),  # noqa: B008  frozen
    limits: EdgeLimits = EdgeLimits(max_request_bytes=1_000_000),  # noqa: B008  frozen
    memory: ResponseMemory | None = None,
    known: Directory | None = None,
    breakers: Breakers | None = None,
    concurrency: Concurrency | None = None,
) -> Gateway:
    """A gateway whose request ids are all `req-1`."""
    clock = clock or FakeClock().clock
    pool = Pool(backends, lambda: 0.5)
    routing = Routing(
        pool=pool,
        failover=Failover(
            breakers or Breakers(rules or BreakerRules()),
            3,
            clock.steady_s,
            Capacities(pool.limits),
        ),
        attempts=Attempts(
            upstream,
            clock,
            AttemptBounds(
                first_byte_timeout_s=timeout_s,
                answer_timeout_s=timeout_s,
                max_answer_bytes=1_000_000,
            ),
        ),
        steady_s=clock.steady_s,
    )
    background = Background()
    memory = memory or response_memory(sink, clock)
    known = known or directory(new_id=lambda: "req-1")
    return Gateway(
        directory=known,
        admissions=Admissions(known),
        model_calls=ModelCalls(routing, memory, drain, background),
        stored_calls=StoredCalls(routing, memory, drain, background),
        listing=Listing(backends),
        meter=Meter("gw-weu", sink, clock),
        concurrency=concurrency or Concurrency(),
        background=background,
        limits=limits,
    )


def response_memory(
    sink: UsageSink, clock: Clock, store: ResponseStore | None = None
) -> ResponseMemory:
    """Remembers responses, in memory unless told otherwise."""
    store = store or MemoryResponses(clock.steady_s)
    return ResponseMemory(store, Completions(store, sink.record), clock.now)


async def ask(gateway: Gateway, sent: Request) -> Answer:
    """The gateway's answer to a request that has arrived whole."""
    arrival = gateway.arrive(sent)
    return arrival if isinstance(arrival, Answer) else await gateway.handle(arrival, sent.body)
