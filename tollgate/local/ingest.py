"""`tollgate ingest`: events from files, through the same intake as the triggers."""

from __future__ import annotations

import sys
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Final

from tollgate.composition import utc_now
from tollgate.errors import SettingsError
from tollgate.events.payloads import split_lines
from tollgate.intake_runtime import IntakeRuntime
from tollgate.settings import Environment

STDIN: Final = "-"
_AVRO: Final = b"Obj\x01"


async def ingest(
    environment: Environment, files: list[str], batch_size: int, *, strict: bool = False
) -> Counter[str]:
    """Apply the events of files, in batches.

    Args:
        environment: Names the Redis.
        files: JSON Lines, a JSON array or one JSON object each; `-` for standard input.
        batch_size: Events a batch.
        strict: Refuse a Redis that is not set up to keep a ledger.

    Returns:
        How many events became what.

    Raises:
        SettingsError: A file cannot be read, or no Redis is named.
        StoreUnavailable: Redis did not answer; ingest the same files again, nothing counts twice.
    """
    batches = [(name, split_lines(_read(name))) for name in files]
    counts: Counter[str] = Counter()
    async with IntakeRuntime(environment, strict=strict) as runtime:
        for name, events in batches:
            remaining = iter(events)
            while batch := list(islice(remaining, batch_size)):
                counts += await runtime.intake.take(batch, source=_source(name), now=utc_now())
    return counts


def _source(name: str) -> str:
    return "standard input" if name == STDIN else f"file {Path(name).name}"


def _read(name: str) -> bytes:
    try:
        content = sys.stdin.buffer.read() if name == STDIN else Path(name).read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a name with a NUL in it
        reason = error.strerror if isinstance(error, OSError) else "its name cannot be"
        raise SettingsError([f"{name}: cannot be read: {reason}"]) from None
    if content.startswith(_AVRO):
        raise SettingsError([f"{name}: is an Avro file; only JSON Lines and JSON are read"])
    return content
