from __future__ import annotations

from typing import Any

import pytest

from tollgate.proxy.refusals import Refusal
from tollgate.proxy.stored_state import (
    previous_response,
    refuse_stored_state,
    unknown_response,
)

STORED: list[dict[str, Any]] = [
    {"conversation": {"id": "conv_1"}},
    {"input": [{"role": "user", "content": "Hi"}, {"type": "item_reference", "id": "msg_1"}]},
    {"input": [{"id": "msg_1"}]},
    {"input": [{"type": "item_reference", "id": "msg_1", "role": "user"}]},
    {"input": [{"type": None, "id": "msg_1", "role": "user"}]},
    {"input": [{"id": "msg_1", "content": None}]},
    {"input": [{"type": "reasoning", "id": "rs_1", "summary": []}]},
    {"input": [{"id": "msg_1", "type": None}]},
    {"input": [1, 2, {"type": "item_reference", "id": "msg_1"}, 3]},
    {"input": [{"id": "rs_1", "type": "reasoning"}]},
    {"input": [{"role": "user", "content": [{"type": "input_file", "file_id": "file-1"}]}]},
    {"messages": [{"content": [{"type": "file", "file": {"file_id": "file-1"}}]}]},
    {"tools": [{"type": "file_search", "vector_store_ids": ["vs_1"]}]},
    {"tools": [{"type": "code_interpreter", "container": "cntr_1"}]},
    {"tools": [{"type": "code_interpreter", "container": {"file_ids": ["file-1"]}}]},
    {"prompt": {"id": "pmpt_1"}},
    {"input": [{"type": "reasoning", "id": "rs_1", "summary": [{"type": "x", "text": "y"}]}]},
    {"input": [{"type": "code_interpreter_call", "id": "ci_1", "container_id": "cntr_1"}]},
    {"messages": [{"role": "assistant", "audio": {"id": "audio_1"}}]},
    {"data_sources": [{"type": "azure_search"}]},
    {"images": [{"file_id": "file-1"}]},
    {"image": {"file_id": "file-1"}},
    {"mask": {"file_id": "file-1"}},
    {"mask[file_id]": "file-1"},
    {"messages": [{"type": "function", "content": [{"type": "file", "file": {"file_id": "f"}}]}]},
    {"input": [{"type": "function", "content": [{"type": "input_file", "file_id": "f"}]}]},
    {"tools": [{"type": "function", "file_ids": ["file-1"]}]},
    {"input": [{"type": "image_generation_call", "id": "ig_1", "revised_prompt": "x"}]},
]


@pytest.mark.parametrize("members", STORED)
def test_stored_state_is_refused(members: dict[str, Any]) -> None:
    with pytest.raises(Refusal) as refused:
        refuse_stored_state(members)
    assert (refused.value.status, refused.value.code) == (400, "stored_state_not_served")


NOT_STORED: list[dict[str, Any]] = [
    {"previous_response_id": None, "background": False},
    {"input": "Hi"},
    {"input": [{"role": "user", "content": "Hi"}, "Hi", 1]},
    {"input": [{"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "x"}]},
    {"input": [{"type": "message", "id": "msg_1", "role": "assistant", "content": "Hi"}]},
    {"input": [{"type": "function_call", "id": "fc_1", "call_id": "c_1", "name": "f"}]},
    {"input": [[1, 2], [3]]},
    {"input": list(range(1000))},
    {"prompt": "file_id", "messages": [{"content": "container"}]},
    {"tools": [{"type": "function", "parameters": {"properties": {"file_id": {"type": "x"}}}}]},
    {"tools": [{"type": "function", "function": {"parameters": {"file_id": {"type": "x"}}}}]},
    {"tools": [{"type": "code_interpreter", "container": {"type": "auto"}}]},
    {"input": [{"type": "image_generation_call", "id": "ig_1", "result": "iVBORw0KGgo="}]},
    {"input": [{"type": "message", "id": "msg_1", "status": "completed", "content": "Hi"}]},
]


@pytest.mark.parametrize("members", NOT_STORED)
def test_a_request_without_stored_state_is_served(members: dict[str, Any]) -> None:
    refuse_stored_state(members)


def test_a_call_may_go_on_from_a_response() -> None:
    assert previous_response({"previous_response_id": "resp_1"}) == "resp_1"
    assert previous_response({"previous_response_id": None}) is None
    assert previous_response({}) is None


@pytest.mark.parametrize("named", [1, ["resp_1"], "x" * 257])
def test_an_odd_name_of_a_response_is_refused(named: object) -> None:
    with pytest.raises(Refusal) as refused:
        previous_response({"previous_response_id": named})
    assert refused.value.param == "previous_response_id"


def test_an_unknown_response_is_named_without_its_control_characters() -> None:
    assert "resp?1" in str(unknown_response("resp\n1", None, 404))
