"""Load by wrk, the HTTP benchmarking tool: one thread, on a core of its own."""

from __future__ import annotations

import subprocess
from typing import Final

import msgspec
from bench.processes import FOLDER, LOAD_CORE, BenchError, pinned
from bench.targets import Target

_TIMEOUT_S: Final = 30
_SPARE_S: Final = 60.0
_MARK: Final = "figures: "
_SCRIPT: Final = """
wrk.method = "POST"
wrk.body = [==[{body}]==]
{headers}
function done(summary, latency, requests)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format('figures: {{"requests": %d, "elapsed_s": %f, "failed": %d,'
    .. ' "p50_ms": %f, "p99_ms": %f}}\\n', summary.requests, summary.duration / 1e6, failed,
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
"""


class WrkFigures(msgspec.Struct, frozen=True):
    """What wrk has seen.

    Args:
        requests: Answered in full.
        elapsed_s: From the first to the last.
        failed: Without an answer, or with another status than 2xx and 3xx.
        p50_ms: Latency, median.
        p99_ms: Latency, 99th percentile.
    """

    requests: int
    elapsed_s: float
    failed: int
    p50_ms: float
    p99_ms: float


def wrk(target: Target, body: bytes, connections: int, duration_s: float) -> WrkFigures:
    """Send `body` as often as it is answered.

    Raises:
        BenchError: wrk fails, or a request does.
    """
    command = [
        *("wrk", "--threads", "1", "--connections", str(connections)),
        *("--duration", f"{duration_s:.0f}s", "--timeout", f"{_TIMEOUT_S}s"),
        *("--script", _script(target, body), f"http://127.0.0.1:{target.server.port}{target.path}"),
    ]
    done = subprocess.run(
        pinned(LOAD_CORE, command),
        capture_output=True,
        check=False,
        text=True,
        timeout=duration_s + _SPARE_S,
    )
    _, marked, last = done.stdout.rpartition(_MARK)
    if done.returncode or not marked:
        raise BenchError(f"wrk fails: {(done.stderr or done.stdout)[-1_000:]}")
    figures = msgspec.json.decode(last, type=WrkFigures)
    if figures.failed or not figures.requests:
        raise BenchError(f"{target.name}: {figures} at {connections} connections")
    return figures


def _script(target: Target, body: bytes) -> str:
    path = FOLDER / f"{target.name}.lua"
    headers = (f'wrk.headers["{name}"] = "{value}"' for name, value in target.all_headers.items())
    path.write_text(_SCRIPT.format(body=body.decode(), headers="\n".join(headers)))
    return str(path)
