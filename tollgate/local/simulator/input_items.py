"""The input items of a response, as its `input_items` list them."""

from collections.abc import Mapping

import msgspec

from tollgate.local.simulator.bodies import Message, ResponseBody
from tollgate.local.simulator.identifiers import Identifiers
from tollgate.local.simulator.json_types import JsonObject
from tollgate.local.simulator.refusals import invalid_request

DEFAULT_LIMIT = 20
MOST_ITEMS = 100


def input_items(body: ResponseBody, ids: Identifiers) -> list[JsonObject]:
    """The items of a request, in its order.

    Args:
        body: The request.
        ids: Ids of the response.
    """
    items = [_message(body.input)] if isinstance(body.input, str) else map(_shown, body.input)
    return [
        {"id": ids.prefixed("msg_", f"input{place}"), **item} for place, item in enumerate(items)
    ]


def listed(items: list[JsonObject], query: Mapping[str, str]) -> JsonObject:
    """One page of the items.

    Args:
        items: All items, in the request's order.
        query: `order` ("asc", or "desc" as by default), `limit` (1 to 100) and `after` (an id).

    Raises:
        Refusal: 400, the limit is not a number in its range.
    """
    ordered = items if query.get("order") == "asc" else items[::-1]
    known = [item["id"] for item in ordered]
    after = query.get("after")
    start = known.index(after) + 1 if after in known else 0
    limit = _limit(query.get("limit", str(DEFAULT_LIMIT)))
    page = ordered[start : start + limit]
    return {
        "object": "list",
        "data": page,
        "first_id": page[0]["id"] if page else None,
        "last_id": page[-1]["id"] if page else None,
        "has_more": len(ordered) > start + limit,
    }


def _limit(text: str) -> int:
    limit = int(text) if text.isascii() and text.isdigit() else 0
    if not 1 <= limit <= MOST_ITEMS:
        raise invalid_request(f"'limit' must be between 1 and {MOST_ITEMS}.", "limit")
    return limit


def _message(text: str) -> JsonObject:
    content = [{"type": "input_text", "text": text}]
    return {"type": "message", "status": "completed", "role": "user", "content": content}


def _shown(item: Message) -> JsonObject:
    if isinstance(item.content, str):
        return {**_message(item.content), "role": item.role or "user"}
    members: JsonObject = msgspec.to_builtins(item)
    return {name: value for name, value in members.items() if value is not None}
