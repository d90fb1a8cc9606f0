"""`accountant report` of a large month, beside redis-py alone reading the same from Redis.

Each is a process of its own and is timed from its start to its end, on one core; Redis has the
other. A counter is every number that the ledger keeps: a row's requests, and a meter's quantity and
requests. The ledger packs those of a row into one field. `read_only` reads these fields, with the
same commands; `read_only_flat` reads a million counters as fields of their own, as a naive ledger
has them, and the bound is on that: beside the packed fields, half of our time is the start of
Python, Typer and pydantic, which a month of ten million does not notice.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bench.measuring import Result
from bench.processes import LOAD_CORE, PROXY_CORE, BenchError, Server, on_core
from bench.redis_server import redis_on, url_of
from bench.report_month import EMPTY_MONTH, FLAT, MONTH, counters, fill, fill_flat, weight
from bench.rounds import Figures, Measure, Rounds, compared, result
from rich.console import Console

from tollgate.connections.redis import open_redis_sync
from tollgate.ledger.keys import NAMESPACE
from tollgate.usage.periods import Month

MAX_REPORT_MB: Final = 2_000
MAX_HELP_S: Final = 0.3
_TENANTS, _MANY_TENANTS = 20, 200  # of 50,400 counters each
_TESTS: Final = str(Path(__file__).parents[1])


def run(console: Console) -> Iterator[Result]:
    """Measure all."""
    rounds = Rounds(console)
    with on_core(PROXY_CORE), redis_on(LOAD_CORE, "redis of a month") as server:
        _fill(server, _TENANTS, console)
        figures = rounds.medians(_readings(server, _TENANTS))
        yield from _report(figures)
        with redis_on(LOAD_CORE, "redis of a large month") as large:
            _fill(large, _MANY_TENANTS, console)
            many = rounds.medians({"report": _timed("report", large, MONTH, _MANY_TENANTS)})
        yield from _report_10m(figures, many["report"])
    yield _help(rounds)


def _readings(server: Server, tenants: int) -> dict[str, Measure]:
    return {
        "report": _timed("report", server, MONTH, tenants),
        "read_only": _timed("read_only", server, MONTH, tenants),
        "read_only_flat": _timed("read_only_flat", server, MONTH, tenants),
        "report of nothing": _timed("report", server, EMPTY_MONTH, tenants),
        "read_only of nothing": _timed("read_only", server, MONTH, 0),
    }


def _report(figures: dict[str, Figures]) -> Iterator[Result]:
    """Whole processes; then without what each takes to start."""
    baselines = {name: figures[name] for name in ("read_only", "read_only_flat")}
    yield from compared("accountant.report", "s", "s", figures["report"], baselines)
    ours, theirs = (_beyond_start(figures, name) for name in ("report", "read_only"))
    yield result("accountant.report_beyond_start", "s", ours, "read_only", theirs)


def _report_10m(figures: dict[str, Figures], many: Figures) -> Iterator[Result]:
    """Seconds a million counters, without the start: else ten starts would count for the few."""
    start_s = figures["report of nothing"]["s"]
    of_many = (many["s"] - start_s) / counters(_MANY_TENANTS) * 1e6
    of_few = _beyond_start(figures, "report") / counters(_TENANTS) * 1e6
    yield result("accountant.report_10m", "s/1M", of_many, "at_1m", of_few)
    yield result("accountant.report_10m_mb", "MB", many["mb"], "bound", MAX_REPORT_MB)


def _beyond_start(figures: dict[str, Figures], name: str) -> float:
    return figures[name]["s"] - figures[f"{name} of nothing"]["s"]


def _help(rounds: Rounds) -> Result:
    def shown(*command: str) -> Measure:
        return lambda: _seconds([sys.executable, *command])[0]

    figures = rounds.medians(
        {"help": shown("-m", "accountant", "--help"), "python": shown("-c", "pass")}
    )
    return result("accountant.help_s", "s", figures["help"]["s"], "python", figures["python"]["s"])


def _fill(server: Server, tenants: int, console: Console) -> None:
    console.print(f"Loading a month of {counters(tenants):,} counters of {tenants} tenants…")
    fill(url_of(server), tenants)
    with open_redis_sync(url_of(server)) as redis:
        console.print(f"read_only reads {weight(redis, NAMESPACE)}")
        if tenants == _TENANTS:
            fill_flat(redis)
            console.print(f"read_only_flat reads {weight(redis, FLAT)}")


def _timed(way: str, server: Server, month: Month, tenants: int) -> Measure:
    command = [sys.executable, "-m", "bench.report_once", way, url_of(server), str(month)]

    def measure() -> Figures:
        figures, said = _seconds([*command, str(tenants)])
        return {**figures, "mb": float(said.split()[-1])}

    return measure


def _seconds(command: list[str]) -> tuple[Figures, str]:
    """How long a process takes, and what it says. Its modules were compiled before."""
    env = {"PATH": os.defpath, "PYTHONPATH": _TESTS}
    began_s = time.perf_counter()
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    taken_s = time.perf_counter() - began_s
    if done.returncode:
        raise BenchError(f"{' '.join(command)}: {done.stderr[-500:]}")
    return {"s": taken_s}, done.stderr
