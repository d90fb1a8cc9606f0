"""The parts of a provider's answer that metering reads, whatever else is in it.

A member of an odd type is as good as absent, and an odd count is not known; neither hides the
counts beside it.
"""

from __future__ import annotations

from typing import Any, Final, TypeVar, cast

import msgspec

_Struct = TypeVar("_Struct", bound=msgspec.Struct)


class InputDetails(msgspec.Struct, frozen=True):
    """Parts of the input. Absent is 0, null is not known."""

    cached_tokens: int | None = 0
    cache_write_tokens: int | None = 0
    audio_tokens: int | None = 0
    image_tokens: int | None = 0


class OutputDetails(msgspec.Struct, frozen=True):
    """Parts of the output. Absent is 0, null is not known."""

    reasoning_tokens: int | None = 0
    audio_tokens: int | None = 0
    image_tokens: int | None = 0


_NO_INPUT_DETAILS: Final = InputDetails()
_NO_OUTPUT_DETAILS: Final = OutputDetails()


class Usage(msgspec.Struct, frozen=True):
    """Usage under the names of both API families; null details are not known."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = 0  # embeddings have none
    prompt_tokens_details: InputDetails | None = _NO_INPUT_DETAILS
    completion_tokens_details: OutputDetails | None = _NO_OUTPUT_DETAILS
    input_tokens: int | None = None
    output_tokens: int | None = None
    input_tokens_details: InputDetails | None = _NO_INPUT_DETAILS
    output_tokens_details: OutputDetails | None = _NO_OUTPUT_DETAILS


class ProviderAnswer(msgspec.Struct, frozen=True):
    """A whole answer, a chunk of a streamed one, or the `response` of a Responses event."""

    id: str | None = None
    model: str | None = None
    service_tier: str | None = None
    status: str | None = None
    usage: Usage | None = None
    choices: list[dict[str, Any]] | None = None
    error: Any = None


class ResponsesEvent(msgspec.Struct, frozen=True):
    """An event of a Responses stream."""

    type: str = ""
    response: ProviderAnswer | None = None
    delta: Any = None


_answer_decoder: Final = msgspec.json.Decoder(ProviderAnswer)
_event_decoder: Final = msgspec.json.Decoder(ResponsesEvent)
_members_decoder: Final = msgspec.json.Decoder(dict[str, Any])

_DETAILS: Final = {
    "prompt_tokens_details": InputDetails,
    "input_tokens_details": InputDetails,
    "completion_tokens_details": OutputDetails,
    "output_tokens_details": OutputDetails,
}


def read_answer(data: bytes) -> ProviderAnswer | None:
    """Read an answer or a chunk; None for what is no JSON object."""
    try:
        return _answer_decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        members = _members(data)
    return None if members is None else _salvaged_answer(members)


def read_responses_event(data: bytes) -> ResponsesEvent | None:
    """Read an event of a Responses stream; None for what is no JSON object."""
    try:
        return _event_decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        members = _members(data)
    if members is None:
        return None
    response = _mapping(members.get("response"))
    return ResponsesEvent(
        type=_text(members.get("type")) or "",
        response=None if response is None else _salvaged_answer(response),
        delta=members.get("delta"),
    )


def _members(data: bytes) -> dict[str, Any] | None:
    try:
        return _members_decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _salvaged_answer(members: dict[str, Any]) -> ProviderAnswer:
    usage, choices = _mapping(members.get("usage")), members.get("choices")
    items = cast("list[object]", choices) if isinstance(choices, list) else []
    return ProviderAnswer(
        id=_text(members.get("id")),
        model=_text(members.get("model")),
        service_tier=_text(members.get("service_tier")),
        status=_text(members.get("status")),
        usage=None if usage is None else _salvaged_usage(usage),
        choices=[cast("dict[str, Any]", item) for item in items if isinstance(item, dict)],
        error=members.get("error"),
    )


def _salvaged_usage(members: dict[str, Any]) -> Usage:
    details = {
        name: _counts(found, kind) if (found := _mapping(members[name])) is not None else None
        for name, kind in _DETAILS.items()
        if name in members
    }
    return msgspec.structs.replace(_counts(members, Usage), **details)


def _counts(members: dict[str, Any], kind: type[_Struct]) -> _Struct:
    """The struct with every count that is one; a detail is put in later."""
    names = set(kind.__struct_fields__) - set(_DETAILS)
    return kind(**{name: _count(members[name]) for name in names & set(members)})


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _mapping(value: object) -> dict[str, Any] | None:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None
