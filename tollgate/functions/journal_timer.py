"""Opens the gateway every minute, so that what a process left in the journal is published."""

from __future__ import annotations

import logging
from typing import Final

import azure.functions as func

from tollgate.errors import SettingsError
from tollgate.functions.runtime import shared

blueprint: Final = func.Blueprint()
_log: Final = logging.getLogger(__name__)


@blueprint.function_name("journal_timer")
@blueprint.timer_trigger("timer", schedule="30 * * * * *", run_on_startup=False, use_monitor=False)
async def journal_timer(timer: func.TimerRequest) -> None:
    """Publish what waits, also where no call comes that would open the gateway."""
    del timer
    try:
        runtime = await shared.gateway()
    except SettingsError as error:
        for problem in error.problems:
            _log.error("the journal is not published: %s", problem)
        return
    runtime.take_over()
