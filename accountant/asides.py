"""Files that never appear half-written: they are written aside, then renamed."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from secrets import token_hex
from typing import Final

_NUMBERS: Final = count()
_RUN: Final = token_hex(4)  # process ids are the same on two machines that share a folder


@contextmanager
def written_aside(path: Path) -> Generator[Path]:
    """A path to write to, which becomes `path` at the end, or is removed if anything fails.

    Args:
        path: The file; its directory is made if it is not there, an older file is replaced.

    Raises:
        OSError: It cannot be written; an older file is as it was.
    """
    with scratch_file(path.parent) as aside:
        yield aside
        aside.replace(path)


@contextmanager
def scratch_file(directory: Path) -> Generator[Path]:
    """A path of its own in a directory, which is made if it is not there; removed at the end."""
    directory.mkdir(parents=True, exist_ok=True)
    aside = directory / f".{os.getpid()}.{_RUN}.{next(_NUMBERS)}.part"
    try:
        yield aside
    finally:
        aside.unlink(missing_ok=True)
