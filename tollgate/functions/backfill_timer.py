"""Completes pending usage from API Management's log, every five minutes."""

from __future__ import annotations

import logging
from typing import Final

import azure.functions as func

from tollgate.composition import utc_now
from tollgate.errors import Retryable, SettingsError
from tollgate.functions.runtime import shared

blueprint: Final = func.Blueprint()
_log: Final = logging.getLogger(__name__)


@blueprint.function_name("backfill_timer")
@blueprint.timer_trigger("timer", schedule="0 */5 * * * *", run_on_startup=False, use_monitor=False)
async def backfill_timer(timer: func.TimerRequest) -> None:
    """Look up what waits; what cannot be looked up now is due at the next run."""
    del timer
    try:
        backfill = await shared.backfill()
        done = await backfill.run(utc_now()) if backfill else None
    except SettingsError as error:
        for problem in error.problems:
            _log.error("nothing is backfilled: %s", problem)
    except (Retryable, OSError) as error:
        _log.warning("the rest is backfilled at the next run: %s", error)
    else:
        if done is not None and (done.completed or done.missing):
            said = "backfilled: %d pending events completed, %d calls without an event given one"
            _log.info(said, done.completed, done.missing)
