"""OpenAI's error shape: the answers that the gateway gives itself, and what others' say."""

from __future__ import annotations

import math
from typing import Any, Final, cast

import msgspec

from tollgate.proxy.messages import JSON_TYPE, Answer, Headers

_POLICY_VIOLATION: Final = "ResponsibleAIPolicyViolation"
_TYPES: Final = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "invalid_request_error",
    405: "invalid_request_error",
    408: "invalid_request_error",
    413: "invalid_request_error",
    415: "invalid_request_error",
    429: "rate_limit_error",
}


class _Error(msgspec.Struct):
    code: Any = None
    innererror: Any = None
    inner_error: Any = None  # the specification's spelling; the wire has the other one


class _ErrorBody(msgspec.Struct):
    error: _Error | None = None


def is_content_filter(body: bytes) -> bool:
    """Whether an error in OpenAI's shape says that the content filter blocked the prompt."""
    try:
        error = msgspec.json.decode(body, type=_ErrorBody).error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    if error is None:
        return False
    inner = (error.innererror, error.inner_error)
    codes = [cast("dict[str, Any]", each).get("code") for each in inner if isinstance(each, dict)]
    return error.code == "content_filter" or _POLICY_VIOLATION in codes


def slow_body(timeout_s: float) -> Refusal:
    """408 for a request whose body does not arrive."""
    return Refusal(
        408, "request_timeout", f"The request body has not arrived within {timeout_s:g} s."
    )


class Refusal(Exception):  # noqa: N818  an answer on its way to the client, not a failure
    """The gateway answers this request itself.

    Args:
        status: The HTTP status.
        code: OpenAI's machine-readable `error.code`.
        message: What is wrong and what to do, for the person who reads it.
        param: The parameter at fault.
        retry_after_s: When to come back, if that helps.

    Attributes:
        headers: More headers for the answer.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        param: str | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.param = param
        self.retry_after_s = retry_after_s
        self.headers: Headers = ()

    def answer(self) -> Answer:
        """The refusal as an HTTP answer."""
        error = {
            "message": self.message,
            "type": _TYPES.get(self.status, "server_error"),
            "param": self.param,
            "code": self.code,
        }
        headers = [("content-type", JSON_TYPE), *self.headers]
        if self.retry_after_s is not None:
            headers += [
                ("retry-after", str(max(math.ceil(self.retry_after_s), 1))),
                ("retry-after-ms", str(max(math.ceil(self.retry_after_s * 1000), 1))),
            ]
        return Answer(
            status=self.status, headers=tuple(headers), body=msgspec.json.encode({"error": error})
        )


SLOW_HEAD: Final = Refusal(408, "request_timeout", "The request's headers have not arrived.")
