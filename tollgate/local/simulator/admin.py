"""The admin endpoint of a region: faults, deployments and the log, as JSON.

`POST /admin/faults` adds faults, `GET` lists those in force, `DELETE` ends them all;
`PATCH /admin/deployments/{name}` changes a deployment, `GET /admin/deployments` shows them all;
`GET /admin/log` shows the requests, `DELETE` forgets them.
"""

from aiohttp import web
from pydantic import ValidationError

from tollgate.local.simulator.deployments import DeploymentChange, StandingDeployments
from tollgate.local.simulator.faults import FaultOrder
from tollgate.local.simulator.faults_in_force import FaultsInForce
from tollgate.local.simulator.json_types import JsonObject, encode
from tollgate.local.simulator.request_log import RequestLog


class AdminEndpoint:
    """Handlers of `/admin/…`.

    Args:
        faults: The region's faults.
        log: The region's log.
        deployments: The region's deployments.
    """

    def __init__(
        self, faults: FaultsInForce, log: RequestLog, deployments: StandingDeployments
    ) -> None:
        self._faults = faults
        self._log = log
        self._deployments = deployments

    def routes(self) -> list[web.RouteDef]:
        """The routes to add to the application."""
        return [
            web.post("/admin/faults", self._add_faults),
            web.get("/admin/faults", self._list_faults),
            web.delete("/admin/faults", self._clear_faults),
            web.get("/admin/deployments", self._show_deployments),
            web.patch("/admin/deployments/{name}", self._change_deployment),
            web.get("/admin/log", self._show_log),
            web.delete("/admin/log", self._clear_log),
        ]

    async def _add_faults(self, request: web.Request) -> web.Response:
        try:
            order = FaultOrder.model_validate_json(await request.read())
        except ValidationError as problems:
            return _json(_explained("InvalidFaults", problems), status=400)
        self._faults.add(*order.faults)
        return _json({"faults": self._faults.listed()})

    async def _list_faults(self, _: web.Request) -> web.Response:
        return _json({"faults": self._faults.listed()})

    async def _clear_faults(self, _: web.Request) -> web.Response:
        self._faults.clear()
        return _json({"faults": []})

    async def _show_deployments(self, _: web.Request) -> web.Response:
        standing = self._deployments.all().items()
        return _json({"deployments": {name: item.model_dump() for name, item in standing}})

    async def _change_deployment(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if self._deployments.named(name) is None:
            error = {"code": "DeploymentNotFound", "message": "There is no such deployment."}
            return _json({"error": error}, status=404)
        try:
            change = DeploymentChange.model_validate_json(await request.read())
        except ValidationError as problems:
            return _json(_explained("InvalidDeployment", problems), status=400)
        return _json(self._deployments.change(name, change).model_dump())

    async def _show_log(self, _: web.Request) -> web.Response:
        return _json({"dropped": self._log.dropped, "requests": list(self._log)})

    async def _clear_log(self, _: web.Request) -> web.Response:
        self._log.clear()
        return _json({"dropped": 0, "requests": []})


def _explained(code: str, problems: ValidationError) -> JsonObject:
    details = [
        {"at": ".".join(str(step) for step in problem["loc"]), "problem": problem["msg"]}
        for problem in problems.errors(include_url=False, include_input=False)
    ]
    first = details[0]
    message = f"{first['at'] or 'body'}: {first['problem']}"
    return {"error": {"code": code, "message": message, "details": details}}


def _json(value: JsonObject, status: int = 200) -> web.Response:
    return web.Response(body=encode(value), status=status, content_type="application/json")
