"""A program: opens streams and keeps opening them.

Argument: a `StreamLoad`; prints `StreamFigures`. It reads the raw bytes, so that it costs less than
what it measures.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from typing import Final, cast

import msgspec
import uvloop
from bench.stream_frames import FIRST_WORD

_DATA: Final = b"data: "
_END: Final = b"\n0\r\n\r\n"
_DONE: Final = b"data: [DONE]"
_GOOD: Final = b"HTTP/1.1 200"
_LAST_STREAMS_S: Final = 60.0  # those open at the end may finish


class StreamLoad(msgspec.Struct, frozen=True):
    """What to do.

    Args:
        port: Of the server, on loopback.
        request: The bytes of a whole HTTP request.
        connections: How many streams are open at once.
        duration_s: For how long streams are begun, and frames are counted.
        ramp_s: The first stream of each connection begins within it, evenly spread.
    """

    port: int
    request: bytes
    connections: int
    duration_s: float
    ramp_s: float


class StreamFigures(msgspec.Struct, frozen=True):
    """What came of it.

    Args:
        streams: How many were complete.
        failed: How many were not.
        frames_per_s: Over the duration.
        frames: All, also after it.
        first_frame_ms: From the request to the first frame, p50 and p99.
        first_content_ms: From the request to the first frame with content, p50 and p99.
        longest_wait_s: Of any stream: from the request to the first frame, or between two arrivals.
        most_open: How many were open at once, the first frame seen and the last not.
        elapsed_s: From the first request to the last answer.
        problem: The first thing that went wrong.
    """

    streams: int
    failed: int
    frames_per_s: float
    frames: int
    first_frame_ms: tuple[float, float]
    first_content_ms: tuple[float, float]
    longest_wait_s: float
    most_open: int
    elapsed_s: float
    problem: str


class _Tally:
    """What all connections have seen."""

    def __init__(self, load: StreamLoad) -> None:
        self.load = load
        self.started_s = time.perf_counter()
        self.until_s = self.started_s + load.duration_s
        self.firsts_s: list[float] = []
        self.contents_s: list[float] = []
        self.streams = self.failed = self.frames = self.frames_in_time = 0
        self.open = self.most_open = 0
        self.longest_wait_s = 0.0
        self.problem = ""

    def fail(self, problem: str) -> None:
        self.failed += 1
        self.problem = self.problem or problem

    def figures(self) -> StreamFigures:
        return StreamFigures(
            streams=self.streams,
            failed=self.failed,
            frames_per_s=self.frames_in_time / self.load.duration_s,
            frames=self.frames,
            first_frame_ms=_percentiles_ms(self.firsts_s),
            first_content_ms=_percentiles_ms(self.contents_s),
            longest_wait_s=self.longest_wait_s,
            most_open=self.most_open,
            elapsed_s=time.perf_counter() - self.started_s,
            problem=self.problem,
        )


def _percentiles_ms(times_s: list[float]) -> tuple[float, float]:
    """The median and the 99th percentile."""
    ordered = sorted(times_s) or [0.0]
    last = min(len(ordered) - 1, int(len(ordered) * 0.99))
    return ordered[len(ordered) // 2] * 1_000, ordered[last] * 1_000


class _Connection(asyncio.Protocol):
    """Streams that follow each other on one connection; `over` ends when they do."""

    def __init__(self, tally: _Tally) -> None:
        self._tally = tally
        self._is_ended = False  # by us
        self.over = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._begin()

    def _begin(self) -> None:
        self._tail, self._is_first, self._is_done = b"", True, False
        self._has_content = False
        self._head = b""
        self._sent_s = self._seen_s = time.perf_counter()
        self._transport.write(self._tally.load.request)

    def data_received(self, data: bytes) -> None:
        now_s, tally = time.perf_counter(), self._tally
        text = self._tail + data
        frames = text.count(_DATA)
        tally.frames += frames
        if now_s < tally.until_s:
            tally.frames_in_time += frames
        if frames:
            tally.longest_wait_s = max(tally.longest_wait_s, now_s - self._seen_s)
            self._seen_s = now_s
        if self._is_first and frames:
            self._first_frame(now_s, text)
        elif not self._head:
            self._head = text[:200]
        if not self._has_content and FIRST_WORD in text:
            self._has_content = True
            tally.contents_s.append(now_s - self._sent_s)
        self._is_done = self._is_done or _DONE in text
        if text.endswith(_END):
            self._complete(now_s)
        else:
            self._tail = text[1 - len(_DATA) :]

    def _first_frame(self, now_s: float, text: bytes) -> None:
        tally = self._tally
        self._head = self._head or text[:200]
        self._is_first = False
        tally.firsts_s.append(now_s - self._sent_s)
        tally.open += 1
        tally.most_open = max(tally.most_open, tally.open)

    def _complete(self, now_s: float) -> None:
        tally = self._tally
        tally.open -= not self._is_first
        if not (self._is_done and self._head.startswith(_GOOD)):
            tally.fail(f"a stream ended early or answered {self._head!r}")
            self._end()
        elif now_s < tally.until_s:
            tally.streams += 1
            self._begin()
        else:
            tally.streams += 1
            self._end()

    def _end(self) -> None:
        self._is_ended = True
        self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._is_ended:
            self._tally.fail(f"the connection was closed: {exc or self._head!r}")
        if not self.over.done():
            self.over.set_result(None)


async def _connect(tally: _Tally, after_s: float) -> None:
    await asyncio.sleep(after_s)
    loop = asyncio.get_running_loop()
    try:
        _, connection = await loop.create_connection(
            lambda: _Connection(tally), "127.0.0.1", tally.load.port
        )
    except OSError as error:
        tally.fail(str(error))
        return
    await connection.over


async def _run(load: StreamLoad) -> StreamFigures:
    tally = _Tally(load)
    steps = [load.ramp_s * place / load.connections for place in range(load.connections)]
    streams = [asyncio.create_task(_connect(tally, step)) for step in steps]
    _, open_still = await asyncio.wait(streams, timeout=load.duration_s + _LAST_STREAMS_S)
    if open_still:
        tally.fail(f"{len(open_still)} streams did not end within {_LAST_STREAMS_S:.0f} s")
    for stream in open_still:
        stream.cancel()
    return tally.figures()


if __name__ == "__main__":
    gc.disable()
    figures = uvloop.run(_run(msgspec.json.decode(sys.argv[1], type=StreamLoad)))
    sys.stdout.write(msgspec.json.encode(figures).decode())
