"""Takes over what dead processes left in the journal's folder."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Final

import msgspec

from tollgate.events.journal import Journal
from tollgate.events.refused import REFUSED_FILE
from tollgate.events.segments import (
    BEGUN,
    EVENT,
    guarded,
    lock_path,
    read_lines,
    try_lock,
    writers,
)

_log: Final = logging.getLogger(__name__)


class _Identified(msgspec.Struct):
    id: str


def recover(folder: Path, journal: Journal) -> int:
    """Put the events of all dead writers into `journal`, to be published from there.

    A request that was begun and has no event is put in as the unknown event that its begun line
    holds. Events that were published already are published again; the ledger knows them.

    Returns:
        How many events were taken over.
    """
    with guarded(folder):
        left = [writer for writer in writers(folder) if writer != journal.writer]
        return sum(_take_over_if_dead(folder, writer, journal) for writer in left)


def _take_over_if_dead(folder: Path, writer: str, journal: Journal) -> int:
    lock = try_lock(lock_path(folder, writer))
    if lock is None:
        return 0
    try:
        return _take_over(folder, writer, journal)
    finally:
        os.close(lock)


def _take_over(folder: Path, writer: str, journal: Journal) -> int:
    segments = sorted(folder.glob(f"{writer}-*.jsonl"))
    count = _put_in(segments, journal)
    if journal.holds_in_memory:
        _log.critical("the disk is full: what %s left stays, and is taken over again", writer)
        return count
    for segment in segments:
        segment.unlink(missing_ok=True)
    lock_path(folder, writer).unlink(missing_ok=True)
    return count


def _put_in(segments: list[Path], journal: Journal) -> int:
    begun: dict[str, bytes] = {}
    count = 0
    for segment in segments:
        for kind, event, _ in read_lines(segment):
            request_id = _request_id(event)
            if request_id is None:
                _log.error("%s holds a line that is no event; it is in %s", segment, REFUSED_FILE)
                journal.set_aside(event)
            elif kind == BEGUN:
                begun[request_id] = event
            elif kind == EVENT:
                begun.pop(request_id, None)
                journal.record_raw(event)
                count += 1
    for event in begun.values():
        journal.record_raw(event)
    return count + len(begun)


def _request_id(event: bytes) -> str | None:
    try:
        return msgspec.json.decode(event, type=_Identified).id
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
