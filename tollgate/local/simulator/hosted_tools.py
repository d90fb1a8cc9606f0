"""Tools that the provider runs itself: their calls in an answer, and what is counted of them.

A response that lists such tools calls each kind once, in the order of the list.
"""

from collections.abc import Iterable, Iterator

from tollgate.local.simulator.identifiers import Identifiers
from tollgate.local.simulator.json_types import JsonObject

# By the beginning of a tool's `type`, which may bear a version: the call and its id's prefix.
_CALLS = {
    "web_search": ("web_search_call", "ws_"),
    "file_search": ("file_search_call", "fs_"),
    "code_interpreter": ("code_interpreter_call", "ci_"),
}
_QUERY = "monthly statement"
_BUSY = {
    "web_search_call": "searching",
    "file_search_call": "searching",
    "code_interpreter_call": "interpreting",
}


def hosted_calls(tools: Iterable[JsonObject] | None, ids: Identifiers) -> list[JsonObject]:
    """The finished calls of an answer.

    Args:
        tools: The request's `tools`.
        ids: Ids of the answer.
    """
    kinds = [
        call
        for tool in tools or ()
        for call in [_call_of(str(tool.get("type")))]
        if call is not None
    ]
    return [
        {
            "id": ids.prefixed(prefix),
            "type": kind,
            "status": "completed",
            **_details(kind, ids),
        }
        for kind, prefix in dict.fromkeys(kinds)
    ]


def call_events(call: JsonObject) -> Iterator[str]:
    """The kinds of the events that a stream has between a call's beginning and its end."""
    kind = str(call["type"])
    for step in ("in_progress", _BUSY[kind], "completed"):
        yield f"response.{kind}.{step}"


def tool_usage(calls: Iterable[JsonObject]) -> JsonObject:
    """`tool_usage` of a response; only searches of the web and images are counted in it."""
    searches = sum(call["type"] == "web_search_call" for call in calls)
    no_tokens = {"image_tokens": 0, "text_tokens": 0}
    return {
        "image_gen": {
            "input_tokens": 0,
            "input_tokens_details": no_tokens,
            "output_tokens": 0,
            "output_tokens_details": no_tokens,
            "total_tokens": 0,
        },
        "web_search": {"num_requests": searches},
    }


def _call_of(tool_type: str) -> tuple[str, str] | None:
    return next((call for name, call in _CALLS.items() if tool_type.startswith(name)), None)


def _details(kind: str, ids: Identifiers) -> JsonObject:
    if kind == "web_search_call":
        return {"action": {"type": "search", "query": _QUERY, "queries": [_QUERY]}}
    if kind == "file_search_call":
        return {"queries": [_QUERY], "results": None}
    return {"code": "print(6 * 7)", "container_id": ids.prefixed("cntr_"), "outputs": None}
