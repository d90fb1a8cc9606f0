import json

import pytest

from tollgate.local.simulator.refusals import Refusal
from tollgate.local.simulator.routes import Route, find_route

DATED = "2024-10-21"


@pytest.mark.parametrize(
    ("segment", "operation"),
    [
        ("chat/completions", "chat.completions"),
        ("completions", "completions"),
        ("embeddings", "embeddings"),
        ("images/generations", "images.generations"),
        ("images/edits", "images.edits"),
        ("audio/transcriptions", "audio.transcriptions"),
        ("audio/translations", "audio.translations"),
        ("audio/speech", "audio.speech"),
    ],
)
def test_both_url_shapes_lead_to_the_operation(segment: str, operation: str) -> None:
    v1 = find_route("POST", f"/openai/v1/{segment}", None)
    dated = find_route("POST", f"/openai/deployments/mini/{segment}", DATED)
    assert v1.operation == dated.operation == operation
    assert (v1.deployment, dated.deployment) == (None, "mini")


def test_responses_are_served_on_both_apis() -> None:
    assert find_route("POST", "/openai/v1/responses", None).operation == "responses"
    dated = find_route("POST", "/openai/responses", "2025-04-01-preview")
    assert dated == Route("responses", "2025-04-01-preview")


def test_stored_response_is_named_by_its_path() -> None:
    found = find_route("GET", "/openai/v1/responses/resp_1", None)
    assert (found.operation, found.response_id) == ("responses.get", "resp_1")
    assert find_route("DELETE", "/openai/v1/responses/resp_1", None).operation == "responses.delete"


@pytest.mark.parametrize(
    ("method", "end", "operation"),
    [("POST", "cancel", "responses.cancel"), ("GET", "input_items", "responses.input_items")],
)
def test_stored_response_has_operations(method: str, end: str, operation: str) -> None:
    v1 = find_route(method, f"/openai/v1/responses/resp_1/{end}", None)
    dated = find_route(method, f"/openai/responses/resp_1/{end}", "2025-04-01-preview")
    assert (v1.operation, v1.response_id) == (operation, "resp_1")
    assert (dated.operation, dated.response_id) == (operation, "resp_1")


@pytest.mark.parametrize("version", [None, "", "latest", "2024-10-21-beta"])
def test_dated_api_needs_its_version(version: str | None) -> None:
    with pytest.raises(Refusal) as refused:
        find_route("POST", "/openai/deployments/mini/chat/completions", version)
    assert refused.value.status == 404
    assert json.loads(refused.value.body)["error"]["message"] == "Resource not found"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/openai/v1/chat/completions"),
        ("POST", "/openai/v1/nothing"),
        ("POST", "/openai/deployments/a/b/chat/completions"),
        ("PATCH", "/openai/v1/responses/resp_1"),
        ("GET", "/openai/v1/responses/resp_1/cancel"),
        ("POST", "/openai/v1/images/variations"),
    ],
)
def test_other_paths_are_not_found(method: str, path: str) -> None:
    with pytest.raises(Refusal) as refused:
        find_route(method, path, DATED)
    assert refused.value.status == 404


def test_old_version_has_no_responses() -> None:
    with pytest.raises(Refusal) as refused:
        find_route("POST", "/openai/responses", DATED)
    assert refused.value.status == 400


def test_stream_usage_came_with_a_version() -> None:
    assert not Route("chat.completions", "2024-06-01").takes_stream_usage
    assert Route("chat.completions", DATED).takes_stream_usage
    assert Route("chat.completions", "v1").takes_stream_usage
