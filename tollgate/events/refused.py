"""What the broker refuses for what it is, beside the journal, one event a line."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path
from typing import Final

from tollgate.events.segments import guarded

REFUSED_FILE: Final = "refused.jsonl"
_GUARD: Final = "refused.guard"
_ASIDE: Final = "refused.rewritten"


def set_aside(folder: Path, event: bytes) -> None:
    """Keep an event."""
    with guarded(folder, _GUARD), (folder / REFUSED_FILE).open("ab") as refused:
        refused.write(event + b"\n")


def read_refused(folder: Path) -> list[bytes]:
    """Every event that is kept, oldest first."""
    path = folder / REFUSED_FILE
    return path.read_bytes().splitlines() if path.exists() else []


def forget_refused(folder: Path, events: Collection[bytes]) -> None:
    """Forget these events; others that came meanwhile stay."""
    with guarded(folder, _GUARD):
        left = [event for event in read_refused(folder) if event not in events]
        aside = folder / _ASIDE
        with aside.open("wb") as rewritten:
            rewritten.writelines(event + b"\n" for event in left)
            rewritten.flush()
            os.fsync(rewritten.fileno())
        aside.replace(folder / REFUSED_FILE)
