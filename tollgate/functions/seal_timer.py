"""Seals the archive's past hours every hour, where TOLLGATE_ARCHIVE names one."""

from __future__ import annotations

from typing import Final

import azure.functions as func

from tollgate.composition import utc_now
from tollgate.ledger.sealing import seal_or_warn
from tollgate.settings import read_environment

blueprint: Final = func.Blueprint()


@blueprint.function_name("seal_timer")
@blueprint.timer_trigger("timer", schedule="0 10 * * * *", run_on_startup=False, use_monitor=False)
async def seal_timer(timer: func.TimerRequest) -> None:
    """Seal; what cannot be sealed now is sealed at the next run."""
    del timer
    if (archive := read_environment().archive) is not None:
        await seal_or_warn(archive, utc_now())
