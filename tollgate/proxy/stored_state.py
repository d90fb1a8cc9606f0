"""What of a request refers to things that a resource has stored.

Behind one identity, tenants would read each other's: what is served is kept apart by tenant
(responses that the same tenant created), and the rest is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from tollgate.proxy.refusals import Refusal

_STORED_PARTS: Final = ("file_id", "file_ids", "vector_store_ids", "container_id")
_CONTAINER: Final = "container"
_TELLING: Final = frozenset({*_STORED_PARTS, _CONTAINER})
_PLAIN: Final = frozenset({"role", "content"})
# Without that, such an item is only a name of what was stored, whatever else it says.
_CONTENT: Final = {"reasoning": "encrypted_content", "image_generation_call": "result"}
_WITH_PARTS: Final = frozenset({"input", "messages", "tools", "image", "images", "mask"})
# Of a function, whose schema's names are the client's own.
_SCHEMAS: Final = frozenset({"function", "parameters"})
_SHOWN_CHARACTERS: Final = 64
_FLAT: Final = frozenset({int, str, float, bool})  # types of what holds nothing further
_REFERENCE: Final = frozenset({"id", "type", "status"})


def refuse_stored_state(members: Mapping[str, Any]) -> None:
    """Let nothing through that names what another tenant may have stored.

    Raises:
        Refusal: 400 if the request refers to a conversation, a stored prompt, item, file, vector
            store or container.
    """
    if members.get("conversation"):
        raise _not_served("conversation", "conversation")
    if isinstance(members.get("prompt"), dict):
        raise _not_served("a stored prompt", "prompt")
    if members.get("data_sources"):  # they would be read with our identity
        raise _not_served("data_sources", "data_sources")
    for member in members:
        if "file_id" in member:  # of a form: `mask[file_id]`
            raise _not_served("a stored file", member[:_SHOWN_CHARACTERS])
        if member in _WITH_PARTS:
            _refuse_stored_parts(member, members[member])


def _refuse_stored_parts(member: str, parts: object) -> None:
    if isinstance(parts, list):
        if _FLAT.issuperset(map(type, cast("list[object]", parts))):  # there may be millions
            return
        parts = [part for part in cast("list[object]", parts) if not _is_plain(part)]
        if member == "messages" and any(map(_names_audio, parts)):
            raise _not_served("an earlier audio answer", member)
        if member == "input" and any(map(_is_reference, parts)):
            raise _not_served("item_reference", member)
    if parts and (found := _stored_part(parts)):
        raise _not_served(found, member)


def _is_plain(message: object) -> bool:
    """A message of nothing but text, as most are."""
    if not isinstance(message, dict):
        return False
    said = cast("dict[str, object]", message)
    return said.keys() == _PLAIN and isinstance(said["content"], str)


def previous_response(members: Mapping[str, Any]) -> str | None:
    """The response that the request goes on from.

    Raises:
        Refusal: 400 if it is named by anything but a short text.
    """
    named = members.get("previous_response_id")
    if named is None or named == "":
        return None
    if isinstance(named, str) and len(named) <= MAX_ID_CHARACTERS:
        return named
    raise Refusal(
        400,
        "invalid_previous_response_id",
        "previous_response_id must be the id of a response.",
        param="previous_response_id",
    )


MAX_ID_CHARACTERS: Final = 256


def unknown_response(response_id: str, param: str | None, status: int) -> Refusal:
    """An id that the caller's tenant has not created here, whoever else may have."""
    shown = "".join(each if each.isprintable() else "?" for each in response_id[:MAX_ID_CHARACTERS])
    code = "previous_response_not_found" if param else "not_found"
    return Refusal(status, code, f"The response {shown} is not known here.", param=param)


def _is_reference(item: object) -> bool:
    """An item that brings nothing but the name of a stored one, or whose type leaves that open."""
    if not isinstance(item, dict):
        return False
    members = cast("dict[str, object]", item)
    kind = members.get("type", "")
    said = {name for name, value in members.items() if value not in (None, "", [])}
    content = _CONTENT.get(kind) if isinstance(kind, str) else None
    is_bare = content is not None and content not in said
    names_one = "id" in said and (kind is None or is_bare or said <= _REFERENCE)
    return kind == "item_reference" or names_one


def _names_audio(message: object) -> bool:
    if not isinstance(message, dict):
        return False
    audio = cast("dict[str, object]", message).get("audio")
    return isinstance(audio, dict) and "id" in audio


def _stored_part(part: object) -> str | None:
    """The first member below `part` that names something stored; None if there is none."""
    below: list[object] = [part]
    while below:
        found = below.pop()
        if isinstance(found, list):
            parts = cast("list[object]", found)
            below += [part for part in parts if isinstance(part, (dict, list))]
        elif isinstance(found, dict):
            members = cast("dict[str, object]", found)
            if not _TELLING.isdisjoint(members) and (name := _named_part(members)):
                return name
            skipped = _SCHEMAS if members.get("type") == "function" else ()
            below += [each for name, each in members.items() if name not in skipped]
    return None


def _named_part(members: Mapping[str, object]) -> str | None:
    if isinstance(members.get(_CONTAINER), str):
        return _CONTAINER
    return next((name for name in _STORED_PARTS if members.get(name)), None)


def _not_served(what: str, param: str) -> Refusal:
    return Refusal(
        400,
        "stored_state_not_served",
        f"{what} is not served: send the whole conversation as input.",
        param=param,
    )
