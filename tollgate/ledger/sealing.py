"""Seals an archive's past hours on time; one that fails is done at the next time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final

from tollgate.errors import TollgateError
from tollgate.ledger.manifest import seal

_EVERY_S: Final = 3600.0
_log: Final = logging.getLogger(__name__)


async def seal_hourly(folder: Path, clock: Callable[[], datetime]) -> None:
    """Seal at once and then every hour, until cancelled."""
    while True:
        await seal_or_warn(folder, clock())
        await asyncio.sleep(_EVERY_S)


async def seal_or_warn(folder: Path, now: datetime) -> None:
    """Seal, or say why not; an archive that is not there yet has nothing to seal."""
    try:
        if await asyncio.to_thread(folder.is_dir):
            await asyncio.to_thread(seal, folder, now)
    except (TollgateError, OSError) as error:
        _log.warning("the archive is not sealed: %s", error)
