"""Reads what Event Hubs Capture writes: Avro files of the events of one partition.

A file may be whole, or its end may be missing, for example where a copy broke off. What stands
before the first block that cannot be read is good: it comes first, then the error.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple, cast

import msgspec

from tollgate.errors import DamagedFile

MAGIC: Final = b"Obj\x01"


class Captured(NamedTuple):
    """One event of a Capture file.

    Args:
        sequence: Its number in the partition; the next event has the next number.
        body: What was sent to the hub; None is an event without a body.
    """

    sequence: int
    body: bytes | None


def read_capture(file: BinaryIO, name: str) -> Iterator[Captured]:
    """The events of a Capture file, in the partition's order; one of an empty window has none.

    Args:
        file: The file, open at its start.
        name: What messages call it.

    Raises:
        DamagedFile: After the events of all blocks before the one that cannot be read.
    """
    block_number, end = 1, 0
    try:
        reader = _open(file)
        end = file.tell()
        for block in reader:
            events = [Captured(record["SequenceNumber"], record["Body"]) for record in block]
            block_number, end = block_number + 1, block.offset + block.size
            yield from events
    except OSError:
        raise
    except Exception as error:  # noqa: BLE001  of bytes that are no Avro, fastavro raises anything
        raise DamagedFile(_message(name, block_number, end, str(error))) from None
    if file.tell() != end:
        raise DamagedFile(_message(name, block_number, end, "it is cut short"))


def read_capture_file(path: Path) -> Iterator[Captured]:
    """The events of the Capture file at a path; see `read_capture`."""
    with path.open("rb") as file:
        yield from read_capture(file, str(path))


def bodies(captured: Captured) -> list[bytes]:
    """The events in a body: Event Grid may put several, as a JSON array, into one."""
    body = captured.body or b""
    if not body.lstrip().startswith(b"["):
        return [body]
    try:
        return [bytes(item) for item in msgspec.json.decode(body, type=list[msgspec.Raw])]
    except msgspec.MsgspecError:
        return [body]


def _open(file: BinaryIO) -> Any:
    import fastavro  # noqa: PLC0415  only who reads Avro needs it

    return cast("Any", fastavro.block_reader(file))


def _message(name: str, block: int, start: int, reason: str) -> str:
    where = f"block {block}, from byte {start}," if start else "its header"
    return f"{name}: {where} cannot be read ({reason}); get the whole file again"
