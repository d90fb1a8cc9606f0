"""Files that are written once: they appear whole, and only where there is none of their name."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from accountant.asides import scratch_file

# What file systems answer that have no hard links, such as exFAT and some shares.
_NO_LINKS: Final = frozenset(
    {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}
)


def write_once(path: Path, content: bytes) -> bool:
    """Make a file appear; of many who try at once, one does.

    It is written aside and linked to its name, so nobody sees it half, whatever is killed. Where
    the file system has no hard links, it is created under its name: exclusively as well, but a
    process that is killed meanwhile leaves a part of it, which its digest shows.

    Returns:
        Whether it is ours; False: there was one, which is as it was.

    Raises:
        OSError: It cannot be written.
    """
    with scratch_file(path.parent) as aside:
        _write(aside, content)
        try:
            os.link(aside, path)
        except FileExistsError:
            # Over NFS, a link whose answer is lost is tried again, and then finds itself.
            return aside.stat().st_nlink > 1
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            return _created(path, content)
    sync_folder(path.parent)
    return True


def sync_folder(folder: Path) -> None:
    """Have the names in a folder survive a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def alone_in(folder: Path) -> Generator[None]:
    """Wait until nobody else is at it; where a file system has no locks, nobody waits."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _created(path: Path, content: bytes) -> bool:
    try:
        _write(path, content)
    except FileExistsError:
        return False
    sync_folder(path.parent)
    return True


def _write(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
