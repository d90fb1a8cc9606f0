"""The ledger on a real Redis: how fast, in how much memory, and with how much CPU.

The worker has one core and Redis the other. Redis writes nothing to disk: what is measured is the
ledger, and a naive one beside it on the same server.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import msgspec
from bench.ledger_events import raw_events
from bench.ledger_ids import fill
from bench.ledger_ingest import ingest, ingest_naively
from bench.ledger_memory import memory
from bench.measuring import Result
from bench.processes import LOAD_CORE, PROXY_CORE, Server, on_core, pinned
from bench.redis_server import redis_on, url_of
from bench.rounds import Figures, Measure, Rounds, result
from redis import Redis
from rich.console import Console

from tollgate.connections.redis import open_redis, open_redis_sync
from tollgate.ledger.redis_ledger import RedisLedger
from tollgate.usage.event import Name, UsageEvent

_WORKER_CORE: Final = PROXY_CORE
_REDIS_CORE: Final = LOAD_CORE
_EVENTS: Final = 20_000  # a round
_NAIVE_EVENTS: Final = 500
_EVENTS_OF_WORKERS: Final = 40_000
_FEW, _MANY = 10_000, 10_000_000
_DAYS: Final = 8  # that a ledger remembers


def run(console: Console) -> list[Result]:
    """Measure all."""
    with (
        on_core(_WORKER_CORE),
        redis_on(_REDIS_CORE, "redis") as server,
        redis_on(_REDIS_CORE, "redis of 10 million") as big,
    ):
        rounds = Rounds(console)
        console.print(f"Loading {_MANY:,} ids, in pipelines that write what the ledger writes…")
        with open_redis_sync(url_of(big)) as redis:
            fill(redis, _MANY, _DAYS)
        return [
            *_ingest(rounds, server),
            _ingest_at_10m(rounds, server, big),
            *memory(url_of(server)),
            _two_workers(rounds, server),
        ]


def _ingest(rounds: Rounds, server: Server) -> Iterator[Result]:
    make = raw_events("ingest")
    decoder = msgspec.json.Decoder(UsageEvent[Name])

    def naive() -> Figures:
        raws = make(_NAIVE_EVENTS)
        with open_redis_sync(url_of(server)) as redis:
            return _rate(len(raws), lambda: [ingest_naively(redis, raw) for raw in raws])

    def decode_only() -> Figures:
        raws = make(_EVENTS)
        return _rate(len(raws), lambda: [decoder.decode(raw) for raw in raws])

    def ours() -> Figures:
        _prepare(server, lambda redis: fill(redis, _FEW, _DAYS))
        return _ours(server, make(_EVENTS))

    figures = rounds.medians({"ours": ours, "naive": naive, "decode_only": decode_only})
    for baseline in ("naive", "decode_only"):
        yield _events_a_s("ledger.ingest", figures["ours"], baseline, figures[baseline])


def _ingest_at_10m(rounds: Rounds, server: Server, big: Server) -> Result:
    make = raw_events("many")

    def at_10k() -> Figures:
        _prepare(server, lambda redis: fill(redis, _FEW, _DAYS))
        return _ours(server, make(_EVENTS))

    measures: Mapping[str, Measure] = {
        "at_10k": at_10k,
        "at_10m": lambda: _ours(big, make(_EVENTS)),
    }
    figures = rounds.medians(measures)
    return _events_a_s("ledger.ingest_at_10m", figures["at_10m"], "at_10k", figures["at_10k"])


def _ours(server: Server, raws: list[bytes]) -> Figures:
    with asyncio.Runner() as runner:
        redis = open_redis(url_of(server))
        ledger = RedisLedger(redis)
        try:
            runner.run(ingest(ledger, raws[:1]))  # connects
            return _rate(len(raws) - 1, lambda: runner.run(ingest(ledger, raws[1:])))
        finally:
            runner.run(redis.aclose())


def _two_workers(rounds: Rounds, server: Server) -> Result:
    """CPU time of workers and Redis together, for the same events by two workers and by one."""
    figures = rounds.medians(
        {"one": lambda: _workers_cpu(server, 1), "two": lambda: _workers_cpu(server, 2)}
    )
    two, one = figures["two"]["us"], figures["one"]["us"]
    return result("ledger.cpu_two_workers", "µs/event", two, "one_worker", one)


def _workers_cpu(server: Server, count: int) -> Figures:
    _prepare(server, lambda redis: fill(redis, _FEW, _DAYS))
    events = _EVENTS_OF_WORKERS // count
    workers = [_worker(server, events, f"worker {number} of {count}") for number in range(count)]
    try:
        for worker in workers:
            worker.readline()
        before_s = server.cpu_s
        for worker in workers:
            worker.go()
        cpu_s = sum(float(worker.readline()) for worker in workers) + server.cpu_s - before_s
    finally:
        for worker in workers:
            worker.end()
    return {"us": cpu_s / _EVENTS_OF_WORKERS * 1e6}


class _Worker:
    """A process that applies events when it is told to."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def readline(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline()

    def go(self) -> None:
        assert self._process.stdin
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()


def _worker(server: Server, events: int, seed: str) -> _Worker:
    command = [sys.executable, "-m", "bench.ledger_worker", url_of(server), str(events), seed]
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    return _Worker(subprocess.Popen(pinned(_WORKER_CORE, command), **pipes))


def _events_a_s(name: str, ours: Figures, baseline: str, theirs: Figures) -> Result:
    return result(name, "events/s", ours["rate"], baseline, theirs["rate"])


def _rate(count: int, work: Callable[[], object]) -> Figures:
    began_s = time.perf_counter()
    work()
    return {"rate": count / (time.perf_counter() - began_s)}


def _prepare(server: Server, work: Callable[[Redis], None]) -> None:
    with open_redis_sync(url_of(server)) as redis:
        redis.flushall()  # pyright: ignore[reportUnknownMemberType]  types of redis-py
        work(redis)
