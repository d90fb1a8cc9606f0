"""Whether this instance can do its work."""

from __future__ import annotations

from typing import Final

import azure.functions as func
from azurefunctions.extensions.http.fastapi import JSONResponse, Request

from tollgate.composition import utc_now
from tollgate.errors import SettingsError
from tollgate.functions.runtime import shared

blueprint: Final = func.Blueprint()


@blueprint.function_name("health")
@blueprint.route("health", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
async def health(req: Request) -> JSONResponse:
    """503 when this instance is not configured or refuses calls, else 200, with the reasons.

    It opens the gateway, which publishes what an earlier process left in the journal, and looks at
    the ledger where there is one.
    """
    del req
    try:
        found = (await shared.gateway()).health
        if shared.has_ledger:
            ledger = await (await shared.intake()).health(utc_now())
            found = found.beside(ledger, "ledger")
    except SettingsError as error:
        content = {"status": "misconfigured", "problems": len(error.problems)}
        return JSONResponse(content, 503)
    return JSONResponse(found.content(), found.http_status)
