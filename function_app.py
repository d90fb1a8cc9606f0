"""The Functions app: registers the blueprints, nothing else."""

import azure.functions as func

from tollgate.functions import (
    backfill_timer,
    gateway,
    health,
    journal_timer,
    seal_timer,
    usage_event_grid,
    usage_event_hub,
    usage_webhook,
)

app = func.FunctionApp()
for module in (
    backfill_timer,
    gateway,
    health,
    journal_timer,
    seal_timer,
    usage_event_grid,
    usage_event_hub,
    usage_webhook,
):
    app.register_functions(module.blueprint)
