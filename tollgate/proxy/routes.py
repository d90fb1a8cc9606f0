"""The paths that are served, in both URL shapes of Azure OpenAI; anything else is 404."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, Literal
from urllib.parse import quote

import msgspec

from tollgate.proxy.refusals import Refusal

# The last part of the path -> the api as the usage event names it.
OPERATIONS: Final = {
    "chat/completions": "chat.completions",
    "completions": "completions",
    "embeddings": "embeddings",
    "responses": "responses",
    "images/generations": "images.generations",
    "images/edits": "images.edits",
    "audio/transcriptions": "audio.transcriptions",
    "audio/translations": "audio.translations",
    "audio/speech": "audio.speech",
}
# Only these know `stream_options.include_usage`.
COMPLETIONS: Final = frozenset({"chat.completions", "completions"})
# Its answers are sound, unless events are asked for.
SPEECH: Final = "audio.speech"
# Bodies of these are forms, since they carry files.
FORMS: Final = frozenset({"images.edits", "audio.transcriptions", "audio.translations"})

Surface = Literal["dated", "v1"]
Action = Literal["retrieve", "delete", "cancel", "input_items"]

_LONGEST_KEPT: Final = 256  # characters of a path whose route is remembered
_OPERATION: Final = "|".join(OPERATIONS)
_IN_DEPLOYMENT: Final = "|".join(each for each in OPERATIONS if each != "responses")
_NAME: Final = r"[^/]+"
_GENERATING: Final[tuple[tuple[Surface, re.Pattern[str]], ...]] = (
    (
        "dated",
        re.compile(rf"/openai/deployments/(?P<deployment>{_NAME})/(?P<operation>{_IN_DEPLOYMENT})"),
    ),
    ("v1", re.compile(rf"(?:/openai)?/v1/(?P<operation>{_OPERATION})")),
    ("dated", re.compile(r"/openai/(?P<operation>responses)")),
)
_STORED: Final = re.compile(
    rf"(?P<root>/openai|(?:/openai)?/v1)/responses/(?P<id>{_NAME})"
    r"(?:/(?P<action>cancel|input_items))?"
)
_LISTS: Final = re.compile(
    rf"(?:/openai(?:/v1)?|/v1)/(?P<what>models|deployments)(?:/(?P<name>{_NAME}))?"
)
_ON_STORED: Final[dict[tuple[str, str | None], Action]] = {
    ("GET", None): "retrieve",
    ("DELETE", None): "delete",
    ("POST", "cancel"): "cancel",
    ("GET", "input_items"): "input_items",
}


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """A call to a model.

    Args:
        api: The operation as the usage event names it.
        operation: The operation as the path names it.
        deployment: The deployment alias of the path; None where the body's `model` says it.
        surface: `dated` for `/openai/…?api-version=`, `v1` for `/openai/v1/…`.
    """

    api: str
    operation: str
    deployment: str | None
    surface: Surface

    def upstream_path(self, deployment: str) -> str:
        """The path below a backend's `…/openai`, with the name of the deployment there."""
        if self.surface == "v1":
            return f"/v1/{self.operation}"
        if self.deployment is None:
            return f"/{self.operation}"
        return f"/deployments/{quote(deployment, safe='')}/{self.operation}"


class StoredRoute(msgspec.Struct, frozen=True, kw_only=True):
    """A call about a response that was created before."""

    response_id: str
    action: Action
    surface: Surface

    @property
    def api(self) -> str:
        """The operation as the usage event names it."""
        return f"responses.{self.action}"

    @property
    def method(self) -> str:
        """The HTTP method."""
        return next(method for (method, _), action in _ON_STORED.items() if action == self.action)

    @property
    def upstream_path(self) -> str:
        """The path below a backend's `…/openai`."""
        root = "/v1" if self.surface == "v1" else ""
        tail = f"/{self.action}" if self.action in {"cancel", "input_items"} else ""
        return f"{root}/responses/{quote(self.response_id, safe='')}{tail}"


class ListRoute(msgspec.Struct, frozen=True, kw_only=True):
    """A question about what is served, which the settings answer."""

    what: Literal["models", "deployments"]
    name: str | None

    @property
    def api(self) -> str:
        """The operation as the usage event names it."""
        return f"{self.what}.{'list' if self.name is None else 'retrieve'}"


def find_route(method: str, path: str) -> Route | StoredRoute | ListRoute:
    """The route of a path.

    Raises:
        Refusal: 404 for a path that is not served, 405 for a method that it does not know.
    """
    return _find(method, path) if len(path) <= _LONGEST_KEPT else _find_anew(method, path)


def _find_anew(method: str, path: str) -> Route | StoredRoute | ListRoute:
    for surface, pattern in _GENERATING:
        if found := pattern.fullmatch(path):
            if method != "POST":
                raise _not_allowed(method, ["POST"])
            operation = found["operation"]
            return Route(
                api=OPERATIONS[operation],
                operation=operation,
                deployment=found.groupdict().get("deployment"),
                surface=surface,
            )
    if found := _STORED.fullmatch(path):
        return _stored_route(method, found)
    if found := _LISTS.fullmatch(path):
        if method != "GET":
            raise _not_allowed(method, ["GET"])
        what: Literal["models", "deployments"] = (
            "models" if found["what"] == "models" else "deployments"
        )
        return ListRoute(what=what, name=found["name"])
    raise Refusal(
        404, "not_found", "This path is not served. See /openai/deployments/… and /openai/v1/…."
    )


_find: Final = lru_cache(maxsize=1024)(_find_anew)


def _stored_route(method: str, found: re.Match[str]) -> StoredRoute:
    action = _ON_STORED.get((method, found["action"]))
    if action is None:
        known = [known for known, tail in _ON_STORED if tail == found["action"]]
        raise _not_allowed(method, known)
    surface: Surface = "v1" if found["root"].endswith("/v1") else "dated"
    return StoredRoute(response_id=found["id"], action=action, surface=surface)


def _not_allowed(method: str, known: list[str]) -> Refusal:
    allowed = ", ".join(known)
    refusal = Refusal(405, "method_not_allowed", f"{method} is not served here; use {allowed}.")
    refusal.headers = (("allow", allowed),)
    return refusal
