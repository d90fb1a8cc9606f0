"""Streams of 50 frames: this proxy beside no proxy, nginx, LiteLLM and Portkey."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from bench.load_streams import StreamLoad
from bench.measuring import Result
from bench.open_streams import open_streams
from bench.processes import LOAD_CORE, PROXY_CORE, program, running
from bench.rounds import Figures, Measure, Rounds, compared, result
from bench.stream_frames import FRAMES_A_STREAM
from bench.streams import load_streams
from bench.targets import OURS, Target, request_body, targets
from rich.console import Console
from rich.table import Table

_BURST_CONNECTIONS: Final = 32
_PACE_MS: Final = 20
_STREAM_S: Final = FRAMES_A_STREAM * _PACE_MS / 1_000
_ROUND_S: Final = {"litellm": 8.0}
_OTHERS_ROUND_S: Final = 4.0
_WARM_UP_S: Final = 1.0
_SATURATION: Final = 0.3
_FIRST_GUESS: Final = 8  # connections
_MOST_PACED: Final = 256  # connections; the load must not be what is measured
_TRIES: Final = 2


def run(console: Console) -> list[Result]:
    """Measure all, and print what each does."""
    rounds, body = Rounds(console), request_body(streamed=True)
    serve = program("serve_streams")
    with running("upstream of streams", LOAD_CORE, serve) as upstream:
        with (
            running("direct", PROXY_CORE, serve) as direct,
            targets(direct, upstream.port, body) as found,
        ):
            burst = rounds.medians({target.name: _burst(target, body) for target in found})
            paced = rounds.medians(_paced_measures(found))
            books = next(str(target.books) for target in found if target.books)
        console.print(_table(burst, paced), f"Books of this proxy: {books}.", sep="\n")
        return [*_results(burst, paced), *open_streams(upstream.port)]


def _burst(target: Target, body: bytes) -> Measure:
    """As fast as the upstream can."""

    def load(duration_s: float) -> Figures:
        request, port = target.request(body), target.server.port
        before_s = target.server.cpu_s
        seen = load_streams(
            target, StreamLoad(port, request, _BURST_CONNECTIONS, duration_s, ramp_s=0)
        )
        as_sent = FRAMES_A_STREAM * seen.streams / seen.frames  # some split or drop frames
        return {
            "frames_per_s": seen.frames_per_s * as_sent,
            "cpu_us": (target.server.cpu_s - before_s) / (seen.frames * as_sent) * 1e6,
            "rss_mb": target.server.rss_mb,
        }

    def measure() -> Figures:
        with target.server.awake():
            load(_WARM_UP_S)
            return load(_round_s(target))

    return measure


def _paced_measures(found: Sequence[Target]) -> dict[str, Measure]:
    """Each at the same share of what it can do; without a proxy, at what is ours."""
    connections = {target.name: _connections(target) for target in found if target.name != "direct"}
    connections["direct"] = connections[OURS]
    return {target.name: _paced(target, connections[target.name]) for target in found}


def _connections(target: Target) -> int:
    """How many paced streams keep it busy for 30 % of its core's time."""
    connections = _FIRST_GUESS
    for _ in range(_TRIES):
        share = _paced(target, connections)()["share"]
        wanted = round(connections * _SATURATION / max(share, 0.01))
        connections = min(max(wanted, 1), _MOST_PACED)
    return connections


def _paced(target: Target, connections: int) -> Measure:
    """A frame each 20 ms; streams begin evenly spread, so that they do not come in waves."""
    body = request_body(f"pace_ms={_PACE_MS} ", streamed=True)
    duration_s = _round_s(target)
    load = StreamLoad(
        target.server.port, target.request(body), connections, duration_s, ramp_s=_STREAM_S
    )

    def measure() -> Figures:
        with target.server.awake():
            before_s = target.server.cpu_s
            seen = load_streams(target, load)
            p50_ms, p99_ms = seen.first_frame_ms
            content_p50_ms, _ = seen.first_content_ms
            used_s = target.server.cpu_s - before_s
        return {
            "connections": connections,
            "share": used_s / seen.elapsed_s,
            "p50_ms": p50_ms,
            "p99_ms": p99_ms,
            "content_p50_ms": content_p50_ms,
        }

    return measure


def _round_s(target: Target) -> float:
    return _ROUND_S.get(target.name, _OTHERS_ROUND_S)


def _results(burst: Mapping[str, Figures], paced: Mapping[str, Figures]) -> list[Result]:
    ours = burst[OURS]
    baselines = {name: figures for name, figures in burst.items() if name != OURS}
    return [
        *compared("proxy.frames_per_s", "frames/s", "frames_per_s", ours, baselines),
        *compared("proxy.frame_cpu_us", "µs", "cpu_us", ours, baselines),
        *_first_frames("proxy.first_frame_ms", "p50_ms", paced),
        *_first_frames("proxy.first_frame_p99_ms", "p99_ms", paced),
        *_first_frames("proxy.first_content_ms", "content_p50_ms", paced),
    ]


def _first_frames(name: str, key: str, paced: Mapping[str, Figures]) -> list[Result]:
    """What each adds to the first frame; beside it for direct, the time to which it is added."""
    direct = paced["direct"][key]
    added = {target: figures[key] - direct for target, figures in paced.items()}
    others = [target for target in paced if target not in (OURS, "direct")]
    return [
        result(name, "ms added", added[OURS], "direct", direct),
        *(result(name, "ms added", added[OURS], other, added[other]) for other in others),
    ]


def _table(burst: Mapping[str, Figures], paced: Mapping[str, Figures]) -> Table:
    columns = ("frames/s", "CPU a frame, µs", "RSS, MB", "paced streams", "of its core")
    added = ("added to first frame p50, ms", "p99, ms", "to first content p50, ms")
    table = Table("", *columns, *added, title="Streams of 50 frames", title_justify="left")
    direct = paced["direct"]
    for name, figures in burst.items():
        slow = paced[name]
        table.add_row(
            name,
            f"{figures['frames_per_s']:,.0f}",
            f"{figures['cpu_us']:,.1f}",
            f"{figures['rss_mb']:,.0f}",
            f"{slow['connections']:,.0f}",
            f"{slow['share']:.0%}",
            f"{slow['p50_ms'] - direct['p50_ms']:,.2f}",
            f"{slow['p99_ms'] - direct['p99_ms']:,.2f}",
            f"{slow['content_p50_ms'] - direct['content_p50_ms']:,.2f}",
        )
    return table
