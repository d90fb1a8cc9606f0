"""What a backend gets to see of a client's request."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any, Final, cast
from urllib.parse import parse_qsl

import msgspec

from tollgate.proxy.messages import JSON_TYPE, Headers
from tollgate.proxy.pool import Target
from tollgate.proxy.ports import UpstreamRequest
from tollgate.proxy.refusals import Refusal
from tollgate.proxy.routes import COMPLETIONS, Route
from tollgate.usage.estimate import prompt_characters

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
_STORED_PARTS: Final = ("file_id", "file_ids", "vector_store_ids")
_REFERENCE: Final = frozenset({"id", "type", "status"})

# The api-version in which the dated API learnt `stream_options`; older ones answer it with 400.
_FIRST_STREAM_OPTIONS: Final = "2024-09-01"
_PRINTABLE: Final = re.compile(r"[\x20-\x7e]*")

_members_decoder: Final = msgspec.json.Decoder(dict[str, Any])
_parts_decoder: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])


class _MemberName:
    """A key that equals no other, so that a member that stands twice is seen twice."""

    def __init__(self, text: str) -> None:
        self.text = text


_names_decoder: Final = msgspec.json.Decoder(
    dict[_MemberName, msgspec.Raw], dec_hook=lambda _, text: _MemberName(text)
)


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

    @property
    def characters(self) -> int:
        """The characters of text in it, for an estimate."""
        try:
            return prompt_characters(self.members)
        except RecursionError:  # nested too deeply to be walked; the body is longer than its text
            return len(self.raw)


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
        if self.route.surface == "dated" and not _knows_stream_options(self.query):
            return False
        options = self.prompt.members.get("stream_options")
        if not isinstance(options, dict):
            return options is None  # what is neither is the region's to refuse
        asked = cast("dict[str, object]", options).get("include_usage")
        return asked is None or asked is False


def read_prompt(body: bytes | None) -> Prompt:
    """Decode a request body.

    Raises:
        Refusal: 400 if it is not a JSON object or has a member twice, which the region could
            read in another way than we do; 413 if it was too long to be read.
    """
    if body is None:
        raise Refusal(413, "request_too_large", "The request body is too large.")
    try:
        members = _members_decoder.decode(body)
        names = _names_decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise Refusal(400, "invalid_json", "The request body is not a JSON object.") from None
    if len(names) > len(members):
        raise _repeated([name.text for name in names])
    return Prompt(body, members)


def _repeated(names: list[str]) -> Refusal:
    ((name, _),) = Counter(names).most_common(1)
    name = name[:64]
    return Refusal(400, "repeated_member", f"The member {name} stands twice.", param=name)


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
            raise _not_served(member, member)
    items = members.get("input")
    if isinstance(items, list) and any(map(_is_reference, cast("list[object]", items))):
        raise _not_served("item_reference", "input")
    if isinstance(members.get("prompt"), dict):
        raise _not_served("a stored prompt", "prompt")
    for member in ("input", "messages", "tools"):
        if found := _stored_part(members.get(member)):
            raise _not_served(found, member)


def _is_reference(item: object) -> bool:
    """An item that brings nothing but the name of a stored one, or whose type leaves that open."""
    if not isinstance(item, dict):
        return False
    members = cast("dict[str, object]", item)
    kind = members.get("type", "")
    said = {name for name, value in members.items() if value not in (None, "", [])}
    names_one = "id" in said and (kind is None or said <= _REFERENCE)
    return kind == "item_reference" or names_one


def _stored_part(part: object) -> str | None:
    """The first member below `part` that names something stored; None if there is none."""
    below: list[object] = [part]
    while below:
        found = below.pop()
        if isinstance(found, list):
            parts = cast("list[object]", found)
            below += [part for part in parts if isinstance(part, dict | list)]
        elif isinstance(found, dict):
            members = cast("dict[str, object]", found)
            if members.get("type") == "function":
                continue  # names in a function's schema are the client's own
            named = [name for name in _STORED_PARTS if members.get(name)]
            container = members.get("container")
            named += ["container"] if isinstance(container, str) else []
            if named:
                return named[0]
            below.extend(members.values())
    return None


def _not_served(what: str, param: str) -> Refusal:
    return Refusal(
        400,
        "stored_state_not_served",
        f"{what} is not served: send the whole conversation as input.",
        param=param,
    )


def upstream_request(plan: Plan, target: Target, credential: dict[str, str]) -> UpstreamRequest:
    """The attempt that goes to `target`, with our credential in place of the client's."""
    url = target.backend.url.rstrip("/") + plan.route.upstream_path(target.deployment.name)
    passed = {
        name: value
        for name, value in plan.headers
        if name in _FORWARDED and _PRINTABLE.fullmatch(value)
    }
    fixed = {"content-type": JSON_TYPE, "accept-encoding": "identity"}
    return UpstreamRequest(
        url=f"{url}?{plan.query}" if plan.query else url,
        headers={**passed, **fixed, **credential},
        body=_body(plan, target),
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
    if not changes:
        return plan.prompt.raw
    return msgspec.json.encode({**_parts_decoder.decode(plan.prompt.raw), **changes})


def _knows_stream_options(query: str) -> bool:
    versions = [
        value for name, value in parse_qsl(query) if name.strip().casefold() == "api-version"
    ]
    return bool(versions) and all(
        re.match(r"\d{4}-\d{2}-\d{2}", version) and version >= _FIRST_STREAM_OPTIONS
        for version in versions
    )
