"""What the environment says of places; `settings` reads all else of it.

Apart from `settings`, which takes its time to import: a report wants no more than these.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path


def redis_url(environ: Mapping[str, str] = os.environ) -> str | None:
    """`TOLLGATE_REDIS_URL`, or None if it is not set."""
    return environ.get("TOLLGATE_REDIS_URL") or None


def books_path(environ: Mapping[str, str] = os.environ) -> Path | None:
    """`TOLLGATE_BOOKS`, where the accountant keeps closed months, or None if it is not set."""
    return path_in(environ, "TOLLGATE_BOOKS")


def journal_path(environ: Mapping[str, str] = os.environ) -> Path | None:
    """`TOLLGATE_JOURNAL`, or None if it is not set."""
    return path_in(environ, "TOLLGATE_JOURNAL")


def path_in(environ: Mapping[str, str], name: str) -> Path | None:
    """The path that a variable names, or None if it is not set."""
    found = environ.get(name)
    return Path(found) if found else None
