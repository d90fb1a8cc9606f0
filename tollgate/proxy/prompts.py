"""A client's request body: a JSON object, or a form where files come with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

import msgspec

from tollgate.proxy.messages import JSON_TYPE
from tollgate.proxy.multipart import Form, read_form
from tollgate.proxy.refusals import Refusal
from tollgate.proxy.routes import FORMS, Route
from tollgate.usage.estimate import estimate_prompt

_TRUE_IN_A_FORM: Final = frozenset({"true", "True", "1"})
# So many names are searched for one by one: more would take time that grows with their square.
_FEW_MEMBERS: Final = 64
_LONGEST_NAME: Final = 64  # no member that an API knows is longer
CountTokens = Callable[[str], int]

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
        members: The same, decoded; of a form, its text fields.
        streamed: Whether the client asked for a stream; speech by its `stream_format`.
        content_type: What a backend is told of it.
        form: The form, if it is one.
    """

    raw: bytes
    members: Mapping[str, Any]
    streamed: bool = False
    content_type: str = JSON_TYPE
    form: Form | None = None

    def tokens(self, count_tokens: CountTokens | None = None) -> int:
        """An estimate of its tokens, with a tokenizer or from its characters."""
        return estimate_prompt(self.members, count_tokens)

    def with_members(self, changes: Mapping[str, object]) -> bytes:
        """The body with other values for some members; the bytes of all others stay."""
        if not changes:
            return self.raw
        if self.form is None:
            return msgspec.json.encode({**_parts_decoder.decode(self.raw), **changes})
        ((name, value),) = changes.items()
        return self.form.with_field(name, str(value))


def read_prompt(route: Route, content_type: str | None, body: bytes | None) -> Prompt:
    """Decode a request body.

    Raises:
        Refusal: 400 if it is not a JSON object, or not a form where the route wants one, or has a
            member twice, which the region could read in another way than we do; 413 if it was too
            long to be read.
    """
    if body is None:
        raise Refusal(413, "request_too_large", "The request body is too large.")
    is_form = content_type is not None and content_type.lower().startswith("multipart/")
    if is_form and content_type is not None and route.api in FORMS:
        form = read_form(content_type, body)
        return Prompt(body, form.fields, _is_streamed(form.fields, form), content_type, form)
    return _read_json(body)


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


def _read_json(body: bytes) -> Prompt:
    try:
        members = _members_decoder.decode(body)
        if _may_repeat(body, members):
            names = _names_decoder.decode(body)
            if len(names) > len(members):
                raise _repeated([name.text for name in names])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise Refusal(400, "invalid_json", "The request body is not a JSON object.") from None
    return Prompt(body, members, _is_streamed(members))


def _is_streamed(members: Mapping[str, Any], form: Form | None = None) -> bool:
    asked = members.get("stream")
    if asked is True or members.get("stream_format") == "sse":
        return True
    return form is not None and asked in _TRUE_IN_A_FORM


def _may_repeat(body: bytes, members: Mapping[str, Any]) -> bool:
    """Whether a member could stand twice: its name does, or some name may be written otherwise."""
    if b"\\" in body or len(members) > _FEW_MEMBERS:
        return True
    for name in members:  # noqa: SIM110  a generator costs more than what it runs
        if len(name) > _LONGEST_NAME or body.count(_quoted(name)) > 1:
            return True
    return False


@lru_cache(maxsize=1024)
def _quoted(name: str) -> bytes:
    return b'"%s"' % name.encode()


def _repeated(names: list[str]) -> Refusal:
    ((name, _),) = Counter(names).most_common(1)
    name = name[:64]
    return Refusal(400, "repeated_member", f"The member {name} stands twice.", param=name)
