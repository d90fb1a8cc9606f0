"""Runs the load of streams on its core."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from typing import Final

import msgspec
from bench.load_streams import StreamFigures, StreamLoad
from bench.processes import LOAD_CORE, BenchError, pinned
from bench.targets import Target

_SPARE_S: Final = 90.0
_LOOK_S: Final = 0.25


def load_streams(
    target: Target, load: StreamLoad, look: Callable[[], object] = lambda: None
) -> StreamFigures:
    """Load a target with streams; each of them is complete, and each of ours is published.

    Args:
        target: Which one.
        load: What to do.
        look: Is called now and then meanwhile.

    Raises:
        BenchError: A stream fails.
    """
    command = [sys.executable, "-m", "bench.load_streams", msgspec.json.encode(load).decode()]
    give_up_s = time.monotonic() + load.duration_s + _SPARE_S
    with subprocess.Popen(
        pinned(LOAD_CORE, command), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as client:
        try:
            while client.poll() is None and time.monotonic() < give_up_s:
                look()
                time.sleep(_LOOK_S)
        finally:
            client.kill()
        output, errors = client.communicate()
    if client.returncode:
        raise BenchError(f"the load of streams fails: {errors.decode()[-1_000:] or 'it hangs'}")
    figures = msgspec.json.decode(output, type=StreamFigures)
    if figures.failed or not figures.streams:
        raise BenchError(f"{target.name}: {figures}")
    if target.books:
        target.books.settle(figures.streams)
    return figures
