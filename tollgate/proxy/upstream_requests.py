"""What a backend gets to see of a client's request."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final, cast

import msgspec

from tollgate.proxy.messages import Headers
from tollgate.proxy.pool import Target
from tollgate.proxy.ports import UpstreamRequest
from tollgate.proxy.prompts import Prompt
from tollgate.proxy.routes import COMPLETIONS, Route, StoredRoute

# Everything else stays behind: keys, cookies, x-tollgate-*, hop-by-hop and forwarding headers.
_FORWARDED: Final = frozenset(
    {
        "accept",
        "openai-beta",
        "traceparent",
        "tracestate",
        "user-agent",
        "x-ms-client-request-id",
        "x-ms-useragent",
    }
)

# The api-version in which the dated API learnt `stream_options`; older ones answer it with 400.
_FIRST_STREAM_OPTIONS: Final = "2024-09-01"
_API_VERSION: Final = re.compile(r"(?:^|&)api-version=([^&]*)", re.IGNORECASE)
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_PRINTABLE: Final = re.compile(r"[\x20-\x7e]*")


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A request ready to be sent to any target.

    Args:
        route: The operation.
        alias: The deployment as the client names it.
        query: What of the query goes upstream.
        headers: What of the headers goes upstream.
        prompt: The body.
        injects_usage: Whether we ask for the usage frame that the client did not ask for.
    """

    route: Route
    alias: str
    query: str
    headers: dict[str, str]
    prompt: Prompt
    injects_usage: bool


def plan_of(
    route: Route, alias: str, prompt: Prompt, *, query: str, headers: dict[str, str]
) -> Plan:
    """The plan for a request; query and headers are what of them goes upstream."""
    return Plan(
        route=route,
        alias=alias,
        query=query,
        headers=headers,
        prompt=prompt,
        injects_usage=prompt.streamed and _injects_usage(route, query, prompt),
    )


def forwarded_headers(headers: Headers) -> dict[str, str]:
    """The client's headers that a backend gets to see."""
    return {
        name: value for name, value in headers if name in _FORWARDED and _PRINTABLE.fullmatch(value)
    }


def upstream_request(plan: Plan, target: Target, credential: Mapping[str, str]) -> UpstreamRequest:
    """The attempt that goes to `target`, with our credential in place of the client's."""
    url = _url(target.backend.url, plan.route, target.deployment.name)
    headers = {
        **plan.headers,
        "content-type": plan.prompt.content_type,
        "accept-encoding": "identity",
        **credential,
    }
    if plan.query:
        url = f"{url}?{plan.query}"
    return UpstreamRequest(url=url, headers=headers, body=_body(plan, target))


@lru_cache(maxsize=4096)
def _url(backend_url: str, route: Route, deployment: str) -> str:
    return backend_url.rstrip("/") + route.upstream_path(deployment)


def stored_request(
    route: StoredRoute, url: str, query: str, headers: dict[str, str]
) -> UpstreamRequest:
    """A call about a stored response.

    Args:
        route: What is asked.
        url: The backend's, which ends in `/openai`.
        query: What goes upstream.
        headers: What goes upstream, our credential among it.
    """
    url = url.rstrip("/") + route.upstream_path
    return UpstreamRequest(
        url=f"{url}?{query}" if query else url,
        headers={**headers, "accept-encoding": "identity"},
        body=b"",
        method=route.method,
    )


def _body(plan: Plan, target: Target) -> bytes:
    """The client's own bytes, unless the model's name or the stream options must change."""
    changes: dict[str, object] = {}
    members = plan.prompt.members
    if plan.route.deployment is None and members.get("model") != target.deployment.name:
        changes["model"] = target.deployment.name
    if plan.injects_usage:
        changes["stream_options"] = {
            **(members.get("stream_options") or {}),
            "include_usage": True,
        }
    return plan.prompt.with_members(changes)


def _injects_usage(route: Route, query: str, prompt: Prompt) -> bool:
    if route.api not in COMPLETIONS:
        return False
    if route.surface == "dated" and not _knows_stream_options(query):
        return False
    options = prompt.members.get("stream_options")
    if not isinstance(options, dict):
        return options is None  # what is neither is the region's to refuse
    asked = cast("dict[str, object]", options).get("include_usage")
    return asked is None or asked is False


def _knows_stream_options(query: str) -> bool:
    """Whether every api-version that the query names (it may name several) knows them."""
    versions: list[str] = _API_VERSION.findall(query)
    return bool(versions) and all(
        _DATE.match(version) and version >= _FIRST_STREAM_OPTIONS for version in versions
    )
