"""The paths that are served, in both URL shapes of Azure OpenAI; anything else is 404."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote

import msgspec

from tollgate.proxy.refusals import Refusal

# The last part of the path -> the api as the usage event names it.
OPERATIONS: Final = {
    "chat/completions": "chat.completions",
    "completions": "completions",
    "embeddings": "embeddings",
    "responses": "responses",
}
# Only these know `stream_options.include_usage`.
COMPLETIONS: Final = frozenset({"chat.completions", "completions"})

_DATED: Final = re.compile(
    r"/openai/deployments/(?P<deployment>[^/]+)/(?P<operation>chat/completions|completions|embeddings)"
)
_DATED_RESPONSES: Final = re.compile(r"/openai/(?P<operation>responses)")
_V1: Final = re.compile(
    r"(?:/openai)?/v1/(?P<operation>chat/completions|completions|embeddings|responses)"
)


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """Where a request wants to go.

    Args:
        api: The operation as the usage event names it.
        operation: The operation as the path names it.
        deployment: The deployment alias of the path; None where the body's `model` says it.
        surface: `dated` for `/openai/…?api-version=`, `v1` for `/openai/v1/…`.
    """

    api: str
    operation: str
    deployment: str | None
    surface: str

    def upstream_path(self, deployment: str) -> str:
        """The path below a backend's `…/openai`, with the name of the deployment there."""
        if self.surface == "v1":
            return f"/v1/{self.operation}"
        if self.deployment is None:
            return f"/{self.operation}"
        return f"/deployments/{quote(deployment, safe='')}/{self.operation}"


def find_route(method: str, path: str) -> Route:
    """The route of a path.

    Raises:
        Refusal: 404 for a path that is not served, 405 for another method than POST.
    """
    for surface, pattern in (("dated", _DATED), ("dated", _DATED_RESPONSES), ("v1", _V1)):
        found = pattern.fullmatch(path)
        if not found:
            continue
        if method != "POST":
            raise Refusal(405, "method_not_allowed", f"{method} is not served here; use POST.")
        operation = found["operation"]
        return Route(
            api=OPERATIONS[operation],
            operation=operation,
            deployment=found.groupdict().get("deployment"),
            surface=surface,
        )
    raise Refusal(
        404, "not_found", "This path is not served. See /openai/deployments/… and /openai/v1/…."
    )
