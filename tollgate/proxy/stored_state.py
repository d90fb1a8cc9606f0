"""What of a request refers to things that a resource has stored.

Behind one identity, tenants would read each other's: what is served is kept apart by tenant
(responses that the same tenant created), and the rest is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from tollgate.proxy.refusals import Refusal

_STORED_PARTS: Final = ("file_id", "file_ids", "vector_store_ids", "container_id")
_NAMING: Final = frozenset({"conversation", "data_sources", "prompt"})
# Without that, such an item is only a name of what was stored, whatever else it says.
_CONTENT: Final = {"reasoning": "encrypted_content", "image_generation_call": "result"}
_WITH_PARTS: Final = ("input", "messages", "tools", "image", "images", "mask")
# Of a function, whose schema's names are the client's own.
_SCHEMAS: Final = frozenset({"function", "parameters"})
_SHOWN_CHARACTERS: Final = 64
_REFERENCE: Final = frozenset({"id", "type", "status"})


def may_name_stored_state(body: bytes, members: Mapping[str, Any]) -> bool:
    """Whether it takes a closer look to see that a request refers to nothing stored.

    A body without any of these does not; a backslash could hide one.

    Args:
        body: As it was sent.
        members: The same, decoded.
    """
    return (
        b"\\" in body
        or b'id"' in body
        or b'ids"' in body
        or b"file_id" in body
        or b"container" in body
        or not _NAMING.isdisjoint(members)
        or ("input" in members and b"item_reference" in body)
    )


def refuse_stored_state(members: Mapping[str, Any]) -> None:
    """Let nothing through that names what another tenant may have stored.

    Raises:
        Refusal: 400 if the request refers to a conversation, a stored prompt, item, file, vector
            store or container.
    """
    if members.get("conversation"):
        raise _not_served("conversation", "conversation")
    items = members.get("input")
    if isinstance(items, list) and any(map(_is_reference, cast("list[object]", items))):
        raise _not_served("item_reference", "input")
    if isinstance(members.get("prompt"), dict):
        raise _not_served("a stored prompt", "prompt")
    if members.get("data_sources"):  # they would be read with our identity
        raise _not_served("data_sources", "data_sources")
    spoken = members.get("messages")
    if isinstance(spoken, list) and any(map(_names_audio, cast("list[object]", spoken))):
        raise _not_served("an earlier audio answer", "messages")
    _refuse_stored_parts(members)


def _refuse_stored_parts(members: Mapping[str, Any]) -> None:
    for member in members:
        if "file_id" in member:  # of a form: `mask[file_id]`
            raise _not_served("a stored file", member[:_SHOWN_CHARACTERS])
    for member in _WITH_PARTS:
        if found := _stored_part(members.get(member)):
            raise _not_served(found, member)


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
            below += [part for part in parts if isinstance(part, dict | list)]
        elif isinstance(found, dict):
            members = cast("dict[str, object]", found)
            named = [name for name in _STORED_PARTS if members.get(name)]
            container = members.get("container")
            named += ["container"] if isinstance(container, str) else []
            if named:
                return named[0]
            skipped = _SCHEMAS if members.get("type") == "function" else ()
            below += [each for name, each in members.items() if name not in skipped]
    return None


def _not_served(what: str, param: str) -> Refusal:
    return Refusal(
        400,
        "stored_state_not_served",
        f"{what} is not served: send the whole conversation as input.",
        param=param,
    )
