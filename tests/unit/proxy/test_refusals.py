from __future__ import annotations

import pytest
from proxying import error_of

from tollgate.proxy.refusals import Refusal


def test_a_refusal_has_the_shape_of_openais_errors() -> None:
    answer = Refusal(400, "invalid_json", "Not JSON.", param="body").answer()
    assert answer.status == 400
    assert error_of(answer) == {
        "message": "Not JSON.",
        "type": "invalid_request_error",
        "param": "body",
        "code": "invalid_json",
    }


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, "authentication_error"),
        (403, "permission_error"),
        (404, "invalid_request_error"),
        (429, "rate_limit_error"),
        (500, "server_error"),
        (503, "server_error"),
    ],
)
def test_a_status_has_its_type(status: int, kind: str) -> None:
    assert error_of(Refusal(status, "code", "message").answer())["type"] == kind


@pytest.mark.parametrize(
    ("wait_s", "seconds", "milliseconds"),
    [(0.0, "1", "1"), (0.2, "1", "200"), (1.0, "1", "1000"), (1.01, "2", "1010")],
)
def test_a_wait_is_stated_in_both_headers(wait_s: float, seconds: str, milliseconds: str) -> None:
    headers = dict(Refusal(429, "code", "message", retry_after_s=wait_s).answer().headers)
    assert headers["retry-after"] == seconds
    assert headers["retry-after-ms"] == milliseconds


def test_without_a_wait_there_is_no_header() -> None:
    assert "retry-after" not in dict(Refusal(503, "code", "message").answer().headers)
