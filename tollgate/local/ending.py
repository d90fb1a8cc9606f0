"""Runs a command that cleans up behind itself, however it is ended."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Awaitable
from typing import Final, TypeVar

_SIGNALLED: Final = 128  # what shells add to the signal's number

T = TypeVar("T")


def run_to_its_end(work: Awaitable[T]) -> T:
    """Run `work`; SIGTERM cancels it as Ctrl+C does, so that it cleans up, and ends the process."""
    try:
        return asyncio.run(_until_terminated(work))
    except asyncio.CancelledError:
        sys.exit(_SIGNALLED + signal.SIGTERM)
    except KeyboardInterrupt:
        sys.exit(_SIGNALLED + signal.SIGINT)


async def _until_terminated(work: Awaitable[T]) -> T:
    task = asyncio.ensure_future(work)

    def end() -> None:
        if not task.cancelling():  # a second signal must not cut the cleaning short
            task.cancel()

    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, end)
    return await task
