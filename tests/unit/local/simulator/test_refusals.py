import json

from tollgate.local.simulator import refusals
from tollgate.local.simulator.json_types import JsonObject


def _error(refusal: refusals.Refusal) -> JsonObject:
    return json.loads(refusal.body)["error"]


def test_unknown_path_is_azures_404() -> None:
    refusal = refusals.resource_not_found()
    assert refusal.status == 404
    assert json.loads(refusal.body) == {"error": {"code": "404", "message": "Resource not found"}}


def test_blocked_prompt_has_an_inner_error() -> None:
    inner = json.loads(refusals.prompt_filtered().body)["error"]["innererror"]
    assert inner["code"] == "ResponsibleAIPolicyViolation"
    assert inner["content_filter_result"]["violence"] == {"filtered": True, "severity": "medium"}


def test_invalid_request_names_its_parameter() -> None:
    error = _error(refusals.invalid_request("no", "n", "bad"))
    assert error == {"message": "no", "type": "invalid_request_error", "param": "n", "code": "bad"}


def test_each_refusal_has_its_own_status() -> None:
    assert refusals.access_denied().status == 401
    assert refusals.deployment_not_found().status == 404
    assert refusals.body_too_large(10).status == 413
    assert refusals.response_not_found("resp_1").status == 404
    assert refusals.previous_response_not_found("resp_1").status == 400
