"""`tollgate ingest`: events from files, through the same intake as the triggers."""

from __future__ import annotations

import io
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from tollgate.composition import utc_now
from tollgate.errors import DamagedFile, SettingsError
from tollgate.events.payloads import split_lines
from tollgate.intake_runtime import IntakeRuntime
from tollgate.ledger.capture import MAGIC, bodies, read_capture
from tollgate.settings import Environment

STDIN: Final = "-"


async def ingest(
    environment: Environment, files: list[str], batch_size: int, *, strict: bool = False
) -> Counter[str]:
    """Apply the events of files, in batches.

    Args:
        environment: Names the Redis.
        files: JSON Lines, a JSON array, one JSON object or Avro of Event Hubs Capture each, told
            apart by their content; `-` for standard input.
        batch_size: Events a batch.
        strict: Refuse a Redis that is not set up to keep a ledger.

    Returns:
        How many events became what.

    Raises:
        SettingsError: A file cannot be read, or no Redis is named.
        DamagedFile: A Capture file breaks off. The events of the files and of the blocks before
            are counted.
        StoreUnavailable: Redis did not answer; ingest the same files again, nothing counts twice.
    """
    batches = [(name, _events(name, _read(name))) for name in files]
    counts: Counter[str] = Counter()
    async with IntakeRuntime(environment, strict=strict) as runtime:
        for name, events in batches:
            for batch in _batches(events, batch_size):
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
    return content


def _events(name: str, content: bytes) -> Iterable[bytes]:
    if content.startswith(MAGIC):
        captured = read_capture(io.BytesIO(content), name)
        return (body for each in captured for body in bodies(each))
    return split_lines(content)


def _batches(events: Iterable[bytes], size: int) -> Iterator[list[bytes]]:
    """Events in batches; what comes before the damage in a file makes the last one."""
    batch: list[bytes] = []
    try:
        for event in events:
            batch.append(event)
            if len(batch) == size:
                yield batch
                batch = []
    except DamagedFile:
        yield batch
        raise
    if batch:
        yield batch
