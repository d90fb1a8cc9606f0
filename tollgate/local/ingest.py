"""`tollgate ingest`: events from files, through the same intake as the triggers."""

from __future__ import annotations

import sys
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Final

from tollgate.composition import IntakeRuntime, utc_now
from tollgate.errors import SettingsError
from tollgate.events.payloads import split_lines
from tollgate.settings import Environment

STDIN: Final = "-"


async def ingest(environment: Environment, files: list[str], batch_size: int) -> Counter[str]:
    """Apply the events of files, in batches.

    Args:
        environment: Names the Redis.
        files: JSON Lines or a JSON array each; `-` for standard input.
        batch_size: Events a batch.

    Returns:
        How many events became what.

    Raises:
        SettingsError: A file cannot be read, or no Redis is named.
        StoreUnavailable: Redis did not answer; ingest the same files again, nothing counts twice.
    """
    batches = [(name, split_lines(_read(name))) for name in files]
    counts: Counter[str] = Counter()
    async with IntakeRuntime(environment) as runtime:
        for name, events in batches:
            remaining = iter(events)
            while batch := list(islice(remaining, batch_size)):
                source = f"file {Path(name).name}"
                counts += await runtime.intake.take(batch, source=source, now=utc_now())
    return counts


def _read(name: str) -> bytes:
    if name == STDIN:
        return sys.stdin.buffer.read()
    try:
        return Path(name).read_bytes()
    except OSError as error:
        raise SettingsError([f"{name}: cannot be read: {error.strerror}"]) from None
