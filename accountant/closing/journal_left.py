"""Finds events of a month that still lie in gateways' journals on this machine. It only looks."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Annotated

import msgspec

from accountant.closing.blockers import Blocker
from tollgate.errors import SettingsError
from tollgate.events.segments import guarded, lock_path, read_lines, try_lock, writers
from tollgate.usage.periods import Month


class _Told(msgspec.Struct):
    """What is asked of an event in a journal, or of one that was begun."""

    id: str
    time: Annotated[datetime, msgspec.Meta(tz=True)]


class JournalLeft(msgspec.Struct, frozen=True):
    """What a journal's folder shows.

    Args:
        blockers: Events of processes that are dead, which nobody publishes.
        running: Processes that publish from it now, of which what waits is not seen.
    """

    blockers: list[Blocker]
    running: int


def journal_left(folder: Path, month: Month) -> JournalLeft:
    """What is left of a month, and of those before.

    Args:
        folder: The journal's.
        month: The one that is closed.

    Raises:
        SettingsError: The folder is none, or cannot be read.
    """
    if not folder.is_dir():
        raise SettingsError(
            [f"{folder}: is no folder of a journal; see --journal, TOLLGATE_JOURNAL"]
        )
    months: dict[str, set[str]] = {}
    running = 0
    try:
        with guarded(folder):
            for writer in writers(folder):
                lock = try_lock(lock_path(folder, writer))
                if lock is None:
                    running += 1
                    continue
                os.close(lock)
                _add(folder, writer, month, months)
    except OSError as error:
        raise SettingsError([f"{folder}: the journal cannot be read: {error.strerror}"]) from None
    counts = {name: len(ids) for name, ids in sorted(months.items())}
    return JournalLeft([Blocker(what="journal", months=counts)] if counts else [], running)


def _add(folder: Path, writer: str, month: Month, months: dict[str, set[str]]) -> None:
    """A request that was begun becomes an event, too, when someone takes it over."""
    for segment in sorted(folder.glob(f"{writer}-*.jsonl")):
        for _, line, _ in read_lines(segment):
            told = _told(line)
            if told is None or told.time < month.end:
                name = f"{told.time:%Y-%m}" if told else ""
                months.setdefault(name, set()).add(told.id if told else line.decode("latin-1"))


def _told(line: bytes) -> _Told | None:
    try:
        return msgspec.json.decode(line, type=_Told)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
