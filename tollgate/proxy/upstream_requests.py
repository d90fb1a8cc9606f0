"""What a backend gets to see of a client's request."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from tollgate.proxy.messages import JSON_TYPE, Headers
from tollgate.proxy.pool import Target
from tollgate.proxy.ports import UpstreamRequest
from tollgate.proxy.refusals import Refusal
from tollgate.proxy.routes import COMPLETIONS, Route

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

_STORED_STATE: Final = ("previous_response_id", "conversation", "background")


class Prompt(msgspec.Struct, frozen=True):
    """A client's request body.

    Args:
        raw: The bytes as sent.
        members: The same, decoded.
    """

    raw: bytes
    members: dict[str, Any]

    @property
    def streamed(self) -> bool:
        """Whether the client asked for a stream."""
        return self.members.get("stream") is True


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A request ready to be sent to any target."""

    route: Route
    query: str
    headers: Headers
    prompt: Prompt

    @property
    def injects_usage(self) -> bool:
        """Whether we ask for the usage frame that the client did not ask for."""
        if self.route.api not in COMPLETIONS or not self.prompt.streamed:
            return False
        options = self.prompt.members.get("stream_options")
        return not (isinstance(options, dict) and options.get("include_usage") is True)  # pyright: ignore[reportUnknownMemberType]  JSON of any shape


def read_prompt(body: bytes | None) -> Prompt:
    """Decode a request body.

    Raises:
        Refusal: 400 if it is not a JSON object, 413 if it was too long to be read.
    """
    if body is None:
        raise Refusal(413, "request_too_large", "The request body is too large.")
    try:
        members = msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise Refusal(400, "invalid_json", "The request body is not a JSON object.") from None
    return Prompt(body, members)


def find_alias(route: Route, prompt: Prompt) -> str:
    """The deployment alias that the request names, in its path or in its `model`.

    Raises:
        Refusal: 400 if it names none.
    """
    if route.deployment is not None:
        return route.deployment
    model = prompt.members.get("model")
    if isinstance(model, str) and model:
        return model
    raise Refusal(400, "missing_model", "The member model must name a deployment.", param="model")


def refuse_stored_state(prompt: Prompt) -> None:
    """Behind one identity, tenants would read each other's stored answers.

    Raises:
        Refusal: 400 if the request refers to stored state, or wants an answer to be fetched later.
    """
    members = prompt.members
    for member in _STORED_STATE:
        if members.get(member):
            raise Refusal(
                400,
                "stored_state_not_served",
                f"{member} is not served: send the whole conversation as input.",
                param=member,
            )


def upstream_request(plan: Plan, target: Target, credential: dict[str, str]) -> UpstreamRequest:
    """The attempt that goes to `target`, with our credential in place of the client's."""
    url = target.backend.url.rstrip("/") + plan.route.upstream_path(target.deployment.name)
    passed = {name: value for name, value in plan.headers if name in _FORWARDED}
    fixed = {"content-type": JSON_TYPE, "accept-encoding": "identity"}
    return UpstreamRequest(
        url=f"{url}?{plan.query}" if plan.query else url,
        headers={**passed, **fixed, **credential},
        body=_body(plan, target),
    )


def _body(plan: Plan, target: Target) -> bytes:
    """The client's own bytes, unless the model's name or the stream options must change."""
    changes: dict[str, Any] = {}
    members = plan.prompt.members
    if plan.route.deployment is None and members.get("model") != target.deployment.name:
        changes["model"] = target.deployment.name
    if plan.injects_usage:
        options = members.get("stream_options")
        kept = options if isinstance(options, dict) else {}  # pyright: ignore[reportUnknownVariableType]  JSON of any shape
        changes["stream_options"] = {**kept, "include_usage": True}
    return msgspec.json.encode({**members, **changes}) if changes else plan.prompt.raw
