"""What is served here, as the settings say: the models and deployments that clients may name.

Azure OpenAI's own lists name what a resource could deploy; behind the gateway an SDK's user wants
to know which names work. Shapes: the models list of the OpenAI API, and the deployments list of
Azure OpenAI's data plane.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from tollgate.proxy.answers import json_answer
from tollgate.proxy.messages import Answer
from tollgate.proxy.pool import Backend
from tollgate.proxy.refusals import Refusal
from tollgate.proxy.routes import ListRoute

_OWNER: Final = "azure-openai"
_SINCE_EVER: Final = 0  # the api wants a time; none is in the settings


class Listing:
    """Answers which aliases are served.

    Args:
        backends: All of them.
    """

    def __init__(self, backends: Iterable[Backend]) -> None:
        models: dict[str, set[str]] = {}
        for backend in backends:
            for alias, deployment in backend.deployments.items():
                models.setdefault(alias, set()).add(deployment.model)
        entries = {
            "models": {alias: _model(alias) for alias in sorted(models)},
            "deployments": {alias: _deployment(alias, models[alias]) for alias in sorted(models)},
        }
        self._entries: dict[str, dict[str, dict[str, Any]]] = entries

    def answer(self, route: ListRoute) -> Answer:
        """The list, or the one entry that the route names.

        Raises:
            Refusal: 404 for a name that is not served.
        """
        entries = self._entries[route.what]
        if route.name is None:
            return json_answer({"object": "list", "data": list(entries.values())})
        if route.name not in entries:
            raise Refusal(404, "DeploymentNotFound", "This deployment does not exist here.")
        return json_answer(entries[route.name])


def _model(alias: str) -> dict[str, Any]:
    return {"id": alias, "object": "model", "created": _SINCE_EVER, "owned_by": _OWNER}


def _deployment(alias: str, models: set[str]) -> dict[str, Any]:
    """Which model stands behind it; several where the backends differ."""
    return {
        "id": alias,
        "object": "deployment",
        "status": "succeeded",
        "owner": _OWNER,
        "model": ", ".join(sorted(models)),
    }
