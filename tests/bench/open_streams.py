"""A thousand streams that are open at once: what each holds, and how long a client waits."""

from __future__ import annotations

import time
from typing import Final

from bench.gateway import tollgate
from bench.load_streams import StreamLoad
from bench.measuring import Result
from bench.processes import PROXY_CORE, BenchError
from bench.rounds import result
from bench.streams import load_streams
from bench.targets import Target, check, our_target, request_body

STREAMS: Final = 1_000
MAX_STREAM_KB: Final = 150
MAX_STALL_S: Final = 1
_PACE_MS: Final = 250  # 4,000 frames a second all together, and 12 seconds a stream
_RAMP_S: Final = 3.0
_WARM_UP_CONNECTIONS: Final = 32
_AT_REST_S: Final = 0.5


def open_streams(upstream: int) -> list[Result]:
    """Measure a proxy that has just started, so that no memory is left over from before.

    Args:
        upstream: The port of the upstream of streams.

    Raises:
        BenchError: They are not all open at once.
    """
    with tollgate(PROXY_CORE, upstream) as (server, books):
        target = our_target(server, books)
        check(target, request_body(streamed=True))
        _warm_up(target)
        before_mb, most_mb = server.rss_mb, [server.rss_mb]
        request = target.request(request_body(f"pace_ms={_PACE_MS} ", streamed=True))
        load = StreamLoad(server.port, request, STREAMS, duration_s=_RAMP_S, ramp_s=_RAMP_S)
        seen = load_streams(target, load, look=lambda: most_mb.append(server.rss_mb))
    if seen.most_open != STREAMS or seen.streams != STREAMS:
        raise BenchError(f"not {STREAMS} streams were open at once: {seen}")
    stream_kb = (max(most_mb) - before_mb) * 1_000 / STREAMS
    return [
        result("proxy.stream_kb", "KB", stream_kb, "bound", MAX_STREAM_KB),
        result("proxy.stream_stall_s", "s", seen.longest_wait_s, "bound", MAX_STALL_S),
    ]


def _warm_up(target: Target) -> None:
    request = target.request(request_body(streamed=True))
    load_streams(
        target, StreamLoad(target.server.port, request, _WARM_UP_CONNECTIONS, 1.0, ramp_s=0)
    )
    time.sleep(_AT_REST_S)
