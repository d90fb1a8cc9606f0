from openai.types.responses import (
    ResponseCodeInterpreterToolCall,
    ResponseFileSearchToolCall,
    ResponseFunctionWebSearch,
)

from tollgate.local.simulator.hosted_tools import call_events, hosted_calls, tool_usage
from tollgate.local.simulator.identifiers import Identifiers
from tollgate.local.simulator.json_types import JsonObject

IDS = Identifiers("weu-1/1")
TOOLS: list[JsonObject] = [
    {"type": "web_search_preview"},
    {"type": "function", "name": "f"},
    {"type": "file_search", "vector_store_ids": ["vs_1"]},
    {"type": "web_search"},
    {"type": "code_interpreter", "container": {"type": "auto"}},
]


def test_each_kind_of_hosted_tool_is_called_once() -> None:
    searched, filed, run = hosted_calls(TOOLS, IDS)
    assert ResponseFunctionWebSearch.model_validate(searched).status == "completed"
    assert ResponseFileSearchToolCall.model_validate(filed).queries
    assert ResponseCodeInterpreterToolCall.model_validate(run).container_id


def test_no_tools_no_calls() -> None:
    assert hosted_calls(None, IDS) == []
    assert hosted_calls([{"type": "function", "name": "f"}], IDS) == []


def test_only_searches_of_the_web_are_counted() -> None:
    usage = tool_usage(hosted_calls(TOOLS, IDS))
    assert usage["web_search"] == {"num_requests": 1}
    assert tool_usage([])["web_search"] == {"num_requests": 0}


def test_call_has_its_events() -> None:
    [call] = hosted_calls([{"type": "code_interpreter"}], IDS)
    assert list(call_events(call)) == [
        "response.code_interpreter_call.in_progress",
        "response.code_interpreter_call.interpreting",
        "response.code_interpreter_call.completed",
    ]
