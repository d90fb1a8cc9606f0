"""The answers that faults put in the place of the right ones."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from email.utils import format_datetime
from itertools import islice, takewhile

from tollgate.local.simulator.faults import HttpError, Throttle
from tollgate.local.simulator.frames import Frame, data_frame, event_frame
from tollgate.local.simulator.json_types import JsonObject
from tollgate.local.simulator.refusals import Refusal, refuse
from tollgate.local.simulator.routes import OPERATION_NAMES, Operation

_MESSAGES = {
    401: "Access denied due to invalid subscription key or wrong API endpoint.",
    404: "Resource not found",
    408: "The operation was timeout.",
    500: "The server had an error while processing your request. Sorry about that!",
    503: "The server is currently processing too many requests. Please retry later.",
}
_CODES = {408: "Timeout", 500: "InternalServerError"}
_MS_PER_S = 1000
_S_PER_MIN = 60
_PAGE = (
    "<!DOCTYPE html><html><head><title>{status}</title></head>"
    "<body><h2>Our services aren't available right now</h2></body></html>"
)


def rate_limited(subject: str, wait_s: int, headers: dict[str, str]) -> Refusal:
    """429 with the message of the newer API.

    Args:
        subject: Whose requests exceeded what ("Your requests to … the token rate limit").
        wait_s: Seconds that the message asks for.
        headers: Headers that state the wait.
    """
    message = (
        f"{subject} Please retry after {wait_s} seconds. To increase your default rate limit, "
        "please see https://aka.ms/oai/quotaincrease."
    )
    return refuse(429, {"code": "RateLimitReached", "message": message}, headers)


def exceeded(deployment: str, model: str, label: str, limit: str = "token") -> str:
    """The first sentence of a 429: whose requests, where, and which rate limit."""
    return (
        f"Your requests to {deployment} for {model} in {label} have exceeded the {limit} rate "
        "limit for your current AIServices S0 pricing tier."
    )


def wait_headers(wait_s: int, wait_ms: int | None = None) -> dict[str, str]:
    """`retry-after` and `retry-after-ms`."""
    milliseconds = wait_s * 1000 if wait_ms is None else wait_ms
    return {"retry-after": str(wait_s), "retry-after-ms": str(milliseconds)}


def throttled(fault: Throttle, sentence: str, at: datetime) -> Refusal:
    """The 429 that a fault asks for.

    Args:
        fault: The fault.
        sentence: Whose requests exceeded which limit.
        at: Now, which an HTTP date counts from.
    """
    if fault.reason == "high_demand":
        sentence = "The system is currently experiencing high demand and cannot process it."
    both = wait_headers(fault.retry_after_s, fault.retry_after_ms)
    match fault.form:
        case "both":
            headers = both
        case "seconds":
            headers = {"retry-after": both["retry-after"]}
        case "milliseconds":
            headers = {"retry-after-ms": both["retry-after-ms"]}
        case "http_date":
            until = at + timedelta(seconds=fault.retry_after_s)
            headers = {"retry-after": format_datetime(until, usegmt=True)}
        case "ratelimit_reset":
            headers = _reset_header(fault)
        case "none":
            headers = {}
    return rate_limited(sentence, fault.retry_after_s, headers)


def _reset_header(fault: Throttle) -> dict[str, str]:
    """`x-ratelimit-reset-requests` or `-tokens` alone."""
    limit = "requests" if fault.reason == "requests" else "tokens"
    name = f"x-ratelimit-reset-{limit}"
    if fault.reset_style == "seconds":
        return {name: str(fault.retry_after_s)}
    milliseconds = fault.retry_after_ms
    return {
        name: duration_text(fault.retry_after_s * 1000 if milliseconds is None else milliseconds)
    }


def duration_text(duration_ms: int) -> str:
    """A duration as OpenAI writes it: "250ms", "1s", "6m0s", "1h0m0s"."""
    if 0 < duration_ms < _MS_PER_S:
        return f"{duration_ms}ms"
    minutes, seconds_ms = divmod(duration_ms, _S_PER_MIN * _MS_PER_S)
    seconds = f"{seconds_ms / _MS_PER_S:g}s"
    if not minutes:
        return seconds
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes}m{seconds}" if hours else f"{minutes}m{seconds}"


def http_error(fault: HttpError) -> Refusal:
    """The error that a fault asks for."""
    headers = {} if fault.retry_after_s is None else {"retry-after": str(fault.retry_after_s)}
    if fault.body == "empty":
        return Refusal(fault.status, b"", headers)
    if fault.body == "html":
        page = _PAGE.format(status=fault.status).encode()
        return Refusal(fault.status, page, headers, "text/html")
    code = fault.code or _CODES.get(fault.status, str(fault.status))
    message = fault.message or _MESSAGES.get(fault.status, "The request failed.")
    return refuse(fault.status, {"code": code, "message": message}, headers)


def broken_off(
    frames: Iterator[Frame], after_frames: int, error: JsonObject, operation: Operation
) -> Iterator[Frame]:
    """The first frames of a stream, then an error frame and the end.

    Args:
        frames: The right stream.
        after_frames: How many of its frames are sent.
        error: `code` and `message` of the error.
        operation: Decides the form of the error frame.
    """
    return _then_error(islice(frames, after_frames), error, operation)


def broken_off_early(
    frames: Iterator[Frame], error: JsonObject, operation: Operation
) -> Iterator[Frame]:
    """The frames that open a stream before any content, then an error frame and the end."""
    return _then_error(takewhile(lambda frame: frame.early, frames), error, operation)


def _then_error(
    frames: Iterator[Frame], error: JsonObject, operation: Operation
) -> Iterator[Frame]:
    sent = pieces = 0
    for frame in frames:
        sent, pieces = sent + 1, frame.pieces
        yield frame
    wrapped: JsonObject = {"error": {**error, "type": "server_error", "param": None}}
    if operation in {"responses", "responses.get"}:
        event = {"type": "error", "sequence_number": sent, **error, "param": None}
        yield event_frame("error", event, pieces)
    elif operation in {"images.generations", "images.edits"}:
        yield event_frame("error", {"type": "error", **wrapped}, pieces)
    else:
        yield data_frame(wrapped, pieces)


def oddly_framed(frames: Iterator[Frame]) -> Iterator[Frame]:
    """The same events with CRLF, comments and no space after `data:`."""
    for frame in frames:
        data = frame.data.replace(b"data: ", b"data:", 1).replace(b"\n", b"\r\n")
        yield Frame(b": keep-alive\r\n" + data, frame.pieces, frame.early)


def operation_sentence(operation: Operation, api_version: str) -> str:
    """What a 429 says of the request itself."""
    name = OPERATION_NAMES[operation]
    return f"This request was for {name} under Azure OpenAI API version {api_version}."
