"""The answers of Azure that are not what was asked for, in their documented JSON shapes.

`Refusal` is raised wherever a call turns out to be impossible, and becomes the HTTP answer.
"""

from collections.abc import Mapping

from tollgate.local.simulator.content_filters import blocked_prompt_results
from tollgate.local.simulator.json_types import JsonObject, encode

_NO_HEADERS: Mapping[str, str] = {}


class Refusal(Exception):  # noqa: N818 - an answer of the API, not an error of this program
    """An answer other than 200.

    Attributes:
        status: HTTP status.
        body: The bytes of the answer.
        headers: Headers beyond those that every answer has.
        content_type: Type of the body.
    """

    def __init__(
        self,
        status: int,
        body: bytes,
        headers: Mapping[str, str] = _NO_HEADERS,
        content_type: str = "application/json",
    ) -> None:
        super().__init__(status)
        self.status = status
        self.body = body
        self.headers = dict(headers)
        self.content_type = content_type


def refuse(status: int, error: JsonObject, headers: Mapping[str, str] = _NO_HEADERS) -> Refusal:
    """A refusal with the body `{"error": {…}}`."""
    return Refusal(status, encode({"error": error}), headers)


def _coded(status: int, code: str, message: str) -> Refusal:
    return refuse(status, {"code": code, "message": message})


def resource_not_found() -> Refusal:
    """The path, or the api-version, is not one that the resource serves."""
    return _coded(404, "404", "Resource not found")


def access_denied() -> Refusal:
    """No key, or not a key of this resource."""
    return _coded(
        401,
        "401",
        "Access denied due to invalid subscription key or wrong API endpoint. Make sure "
        "to provide a valid key for an active subscription and use a correct regional API "
        "endpoint for your resource.",
    )


def deployment_not_found() -> Refusal:
    """The resource has no deployment of that name."""
    return _coded(
        404,
        "DeploymentNotFound",
        "The API deployment for this resource does not exist. If you created the "
        "deployment within the last 5 minutes, please wait a moment and try again.",
    )


def operation_not_supported(operation: str, model: str) -> Refusal:
    """The model behind the deployment cannot do what the path asks for."""
    return _coded(
        400,
        "OperationNotSupported",
        f"The {operation} operation does not work with the specified model, {model}. "
        "Please choose different model and try again.",
    )


def invalid_request(
    message: str, param: str | None = None, code: str | None = None, *, status: int = 400
) -> Refusal:
    """The body is not what the API takes."""
    kind = "invalid_request_error"
    return refuse(status, {"message": message, "type": kind, "param": param, "code": code})


def unsupported_parameter(param: str, instead: str) -> Refusal:
    """A reasoning model got a parameter of the older models."""
    return invalid_request(
        f"Unsupported parameter: '{param}' is not supported with this model. "
        f"Use '{instead}' instead.",
        param,
        "unsupported_parameter",
    )


def context_length_exceeded(limit: int, tokens: int) -> Refusal:
    """Prompt and answer together are longer than the model can hold (both in tokens)."""
    return invalid_request(
        f"This model's maximum context length is {limit} tokens. However, you requested {tokens} "
        "tokens. Please reduce the length of the messages or completion.",
        "messages",
        "context_length_exceeded",
    )


def prompt_filtered() -> Refusal:
    """The content filter blocked the prompt; Azure charges the prompt nevertheless."""
    error: JsonObject = {
        "message": "The response was filtered due to the prompt triggering Azure OpenAI's content "
        "management policy. Please modify your prompt and retry.",
        "type": None,
        "param": "prompt",
        "code": "content_filter",
        "status": 400,
        "innererror": {
            "code": "ResponsibleAIPolicyViolation",
            "content_filter_result": blocked_prompt_results(),
        },
    }
    return refuse(400, error)


def body_too_large(limit_bytes: int) -> Refusal:
    """The request body is longer than the resource takes."""
    return _coded(413, "413", f"Request body is larger than {limit_bytes} bytes.")


def response_not_found(response_id: str) -> Refusal:
    """No stored answer of the Responses API has that id."""
    return invalid_request(f"Response with id '{response_id}' not found.", status=404)


def previous_response_not_found(response_id: str) -> Refusal:
    """The conversation that the request continues is not stored."""
    return invalid_request(
        f"Previous response with id '{response_id}' not found.",
        "previous_response_id",
        "previous_response_not_found",
    )


def not_cancellable() -> Refusal:
    """The response was not made in the background."""
    return invalid_request(
        "Only responses created with background=true can be cancelled.", "response_id"
    )
