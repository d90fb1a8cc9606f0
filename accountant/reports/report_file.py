"""Writes a report to stdout, or to a directory: aside first, then renamed, so none is read half."""

from __future__ import annotations

import errno
import os
import re
import sys
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Final
from urllib.parse import quote

from accountant.asides import written_aside

_LONGEST: Final = 150  # file systems allow 255 bytes, some tools less


def file_name(period: str, tenant: str | None, suffix: str) -> str:
    """A report's file name; a long tenant is cut, and told from others by a digest.

    So is one with capitals, which some file systems take for the same as small letters.

    Args:
        period: The month.
        tenant: Whose it is; None is everyone's.
        suffix: Without its point.
    """
    if tenant is None:
        return f"report-{period}.{suffix}"
    name = quote(tenant, safe="")
    if len(name) > _LONGEST or tenant != tenant.lower():
        digest = sha256(tenant.encode()).hexdigest()[:16]
        name = f"{re.sub('%.?$', '', name[:_LONGEST])}+{digest}"  # no quoted name has a plus
    return f"report-{period}.{name}.{suffix}"


def write_report(directory: Path, name: str, content: bytes) -> Path:
    """Write `name` in the directory, which is made if it is not there; replaces an older one.

    Raises:
        OSError: It cannot be written; an older file is as it was.
    """
    path = directory / name
    with written_aside(path) as aside:
        aside.write_bytes(content)
    return path


def print_report(content: bytes) -> None:
    """Write to stdout.

    Raises:
        BrokenPipeError: Whoever read it has left.
        OSError: It cannot be written, or is closed. What is left is dropped, not tried at exit.
    """
    if sys.stdout is None:
        raise OSError(errno.EBADF, "it is closed")
    rest = memoryview(content)
    try:
        while rest:  # unbuffered, a write may take only a part and say nothing
            rest = rest[sys.stdout.buffer.write(rest) :]
        sys.stdout.buffer.flush()
    except OSError:
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise
