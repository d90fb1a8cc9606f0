"""Answers that are not streamed: this proxy beside no proxy, nginx, LiteLLM and Portkey."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bench.measuring import Result
from bench.nginx import answering
from bench.processes import LOAD_CORE, PROXY_CORE
from bench.rounds import Figures, Measure, Rounds, compared
from bench.targets import OURS, Target, request_body, targets
from bench.wrk import wrk
from rich.console import Console
from rich.table import Table

_CONNECTIONS: Final = (32, 128)
_ROUND_S: Final = {"litellm": 8.0}
_OTHERS_ROUND_S: Final = 4.0
_WARM_UP_S: Final = 1.0
_FIGURES: Final = (("rps", "req/s"), ("cpu_us", "µs"), ("p50_ms", "ms"), ("p99_ms", "ms"))


def run(console: Console) -> list[Result]:
    """Measure all, and print what each does."""
    body = request_body(streamed=False)
    with (
        answering("upstream", LOAD_CORE) as upstream,
        answering("direct", PROXY_CORE) as direct,
        targets(direct, upstream.port, body) as found,
    ):
        medians = Rounds(console).medians(_measures(found, body))
        books = next(str(target.books) for target in found if target.books)
    by_connections = {
        connections: {target.name: medians[_label(target, connections)] for target in found}
        for connections in _CONNECTIONS
    }
    console.print(_table(by_connections), f"Books of this proxy: {books}.", sep="\n")
    return _results(by_connections)


def _measures(found: Sequence[Target], body: bytes) -> dict[str, Measure]:
    return {
        _label(target, connections): _measure(target, body, connections)
        for connections in _CONNECTIONS
        for target in found
    }


def _label(target: Target, connections: int) -> str:
    return f"{target.name} at {connections} connections"


def _measure(target: Target, body: bytes, connections: int) -> Measure:
    """A round of one target: warm-up, load, and for us the publishing of all that was used."""

    def load(duration_s: float) -> Figures:
        before_s = target.server.cpu_s
        seen = wrk(target, body, connections, duration_s)
        if target.books:
            target.books.settle(seen.requests, cut=connections)
        return {
            "rps": seen.requests / seen.elapsed_s,
            "cpu_us": (target.server.cpu_s - before_s) / seen.requests * 1e6,
            "p50_ms": seen.p50_ms,
            "p99_ms": seen.p99_ms,
            "rss_mb": target.server.rss_mb,
        }

    def measure() -> Figures:
        with target.server.awake():
            load(_WARM_UP_S)
            return load(_ROUND_S.get(target.name, _OTHERS_ROUND_S))

    return measure


def _results(by_connections: dict[int, dict[str, Figures]]) -> list[Result]:
    """At the fewest connections a figure has its plain name; at more, their number in it."""
    results = list[Result]()
    for connections, figures in by_connections.items():
        suffix = "" if connections == _CONNECTIONS[0] else f"_{connections}"
        baselines = {name: found for name, found in figures.items() if name != OURS}
        for key, unit in _FIGURES:
            results += compared(f"proxy.{key}{suffix}", unit, key, figures[OURS], baselines)
    figures = by_connections[_CONNECTIONS[-1]]
    baselines = {name: found for name, found in figures.items() if name != OURS}
    return [*results, *compared("proxy.rss_mb", "MB", "rss_mb", figures[OURS], baselines)]


def _table(by_connections: dict[int, dict[str, Figures]]) -> Table:
    title = "Not streamed, 1 KB, at {} connections".format(" / ".join(map(str, _CONNECTIONS)))
    columns = ("req/s", "added p50, ms", "added p99, ms", "CPU a request, µs", "RSS, MB")
    table = Table("", *columns, title=title, title_justify="left")
    for name in by_connections[_CONNECTIONS[0]]:
        found = [(figures[name], figures["direct"]) for figures in by_connections.values()]
        cells = [
            [f"{mine['rps']:,.0f}" for mine, _ in found],
            [f"{mine['p50_ms'] - direct['p50_ms']:,.2f}" for mine, direct in found],
            [f"{mine['p99_ms'] - direct['p99_ms']:,.2f}" for mine, direct in found],
            [f"{mine['cpu_us']:,.0f}" for mine, _ in found],
            [f"{mine['rss_mb']:,.0f}" for mine, _ in found],
        ]
        table.add_row(name, *(" / ".join(cell) for cell in cells))
    return table
