"""Follows tollgate.yaml: a change is taken over without a restart, a bad one is refused."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tollgate.errors import SettingsError
from tollgate.settings import Settings, load_settings

_Fingerprint = tuple[int, int, int]
_GONE: Final = (0, 0, 0)
_log: Final = logging.getLogger(__name__)


class SettingsFile:
    """Reads the file again when it has changed.

    Args:
        path: The file, which was read before.
        change: Takes the new settings; may raise SettingsError, and then the old ones stay.

    Attributes:
        problems: Of the file as it is now, if it was refused.
    """

    def __init__(self, path: Path, change: Callable[[Settings], None]) -> None:
        self._path = path
        self._change = change
        self._known = self._seen = self._fingerprint()
        self.problems: list[str] = []

    async def watch(self, every_s: float = 1.0) -> None:
        """Look every so often, until cancelled."""
        while True:
            await asyncio.sleep(every_s)
            await self.look()

    async def look(self) -> None:
        """Take the file over if it has changed, and was the same at the last look.

        A file that is being written is not read half way.
        """
        now = self._fingerprint()
        settled, self._seen = now == self._seen, now
        if now == self._known or not settled:
            return
        self._known = now
        try:
            self._change(await asyncio.to_thread(load_settings, self._path))
        except SettingsError as error:
            self.problems = error.problems
            _log.error("%s has changed and is refused; the old settings stay", self._path)
            for problem in error.problems:
                _log.error("%s", problem)
        else:
            self.problems = []
            _log.warning("%s has changed and is in force", self._path)

    def _fingerprint(self) -> _Fingerprint:
        try:
            found = self._path.stat()
        except OSError:
            return _GONE
        return found.st_mtime_ns, found.st_size, found.st_ino
