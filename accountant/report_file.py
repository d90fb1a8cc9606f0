"""Writes a report to a directory: aside first, then renamed, so no half file is ever read."""

from __future__ import annotations

import os
from pathlib import Path


def write_report(directory: Path, name: str, content: bytes) -> Path:
    """Write `name` in the directory, which is made if it is not there; replaces an older one.

    Raises:
        OSError: It cannot be written; an older file is as it was.
    """
    directory.mkdir(parents=True, exist_ok=True)
    aside = directory / f".{os.getpid()}.part"
    try:
        aside.write_bytes(content)
        return aside.replace(directory / name)
    finally:
        aside.unlink(missing_ok=True)
