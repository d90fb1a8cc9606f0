"""What Azure refuses although it could be read: parameters that do not go together."""

from tollgate.local.simulator.bodies import (
    Body,
    ChatBody,
    CompletionBody,
    EmbeddingBody,
    ResponseBody,
    StreamOptions,
)
from tollgate.local.simulator.media_bodies import ImageBody, SpeechBody, TranscriptionBody
from tollgate.local.simulator.media_checks import check_media
from tollgate.local.simulator.refusals import (
    context_length_exceeded,
    invalid_request,
    unsupported_parameter,
)
from tollgate.local.simulator.routes import Route
from tollgate.local.simulator.settings import SimulatedDeployment
from tollgate.local.simulator.tasks import Task

MOST_EMBEDDING_INPUTS = 2048


def check_body(body: Body, route: Route, deployment: SimulatedDeployment) -> None:
    """Checks a body against the api-version and the model.

    Raises:
        Refusal: 400, with the parameter at fault.
    """
    match body:
        case ChatBody() | CompletionBody():
            _check_stream_options(body.stream_options, route, streamed=bool(body.stream))
            if deployment.reasons and isinstance(body, ChatBody) and body.max_tokens is not None:
                raise unsupported_parameter("max_tokens", "max_completion_tokens")
        case ResponseBody():
            _check_response_options(body.stream_options)
            if body.background and body.store is False:
                raise invalid_request("Background mode requires 'store' to be true.", "background")
        case EmbeddingBody():
            _check_input(body)
        case ImageBody() | TranscriptionBody() | SpeechBody():
            check_media(body, deployment)


def check_context(task: Task, deployment: SimulatedDeployment) -> None:
    """Checks that prompt and answer fit the model.

    Raises:
        Refusal: 400 `context_length_exceeded`.
    """
    tokens = task.prompt.tokens + (task.limit or 0)
    if tokens > deployment.context_tokens:
        raise context_length_exceeded(deployment.context_tokens, tokens)


def _check_stream_options(options: StreamOptions | None, route: Route, *, streamed: bool) -> None:
    if options is None:
        return
    if not route.takes_stream_usage:
        raise invalid_request("Unrecognized request argument supplied: stream_options")
    if not streamed:
        raise invalid_request(
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
            "stream_options",
        )


def _check_response_options(options: StreamOptions | None) -> None:
    if options is not None and options.include_usage is not None:
        raise invalid_request(
            "Unknown parameter: 'stream_options.include_usage'.",
            "stream_options.include_usage",
            "unknown_parameter",
        )


def _check_input(body: EmbeddingBody) -> None:
    if not body.input:
        raise invalid_request("'$.input' is invalid. It must not be empty.", "input")
    if isinstance(body.input, list) and len(body.input) > MOST_EMBEDDING_INPUTS:
        raise invalid_request(f"'$.input' has more than {MOST_EMBEDDING_INPUTS} elements.", "input")
