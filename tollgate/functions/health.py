"""Whether this instance can do its work."""

from __future__ import annotations

from typing import Any, Final

import azure.functions as func
from azurefunctions.extensions.http.fastapi import JSONResponse, Request

from tollgate.errors import SettingsError
from tollgate.functions.runtime import shared

blueprint: Final = func.Blueprint()


@blueprint.function_name("health")
@blueprint.route("health", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
async def health(req: Request) -> JSONResponse:
    """200 when the gateway is configured, else 503; opens it, which drains the journal.

    Its status is degraded when there is no topic to publish to.
    """
    del req
    content: dict[str, Any]
    try:
        runtime = await shared.gateway()
    except SettingsError as error:
        content = {"status": "misconfigured", "problems": len(error.problems)}
        return JSONResponse(content, 503)
    return JSONResponse(runtime.health, 200)
