"""Files that never appear half-written: they are written aside, then renamed."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
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
    with written_together(path) as (aside,):
        yield aside


@contextmanager
def written_together(*paths: Path) -> Generator[list[Path]]:
    """Paths to write to, which become `paths` at the end, or are removed if anything fails.

    The first is the document and the others belong to it. No rename replaces two files at once, so
    an older document is removed before the others are replaced: whoever finds the document finds
    the others of the same run, even if this process is killed at any instant.

    Args:
        paths: The files, as in `written_aside`.

    Raises:
        OSError: One cannot be written; the older files are as they were, but that none of the
            document is left if it was the last to fail.
    """
    with ExitStack() as stack:
        asides = [stack.enter_context(scratch_file(path.parent)) for path in paths]
        yield asides
        if len(paths) > 1:
            paths[0].unlink(missing_ok=True)
        for aside, path in reversed([*zip(asides, paths, strict=True)]):
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
