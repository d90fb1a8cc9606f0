"""What Azure refuses of images and audio although it could be read."""

from tollgate.local.simulator.media_bodies import (
    ImageBody,
    MediaBody,
    SpeechBody,
    TranscriptionBody,
)
from tollgate.local.simulator.refusals import Refusal, invalid_request
from tollgate.local.simulator.settings import SimulatedDeployment

_SIZES = {
    "gpt_image": {"auto", "1024x1024", "1024x1536", "1536x1024"},
    "dall_e": {"1024x1024", "1024x1792", "1792x1024", "512x512", "256x256"},
}
_QUALITIES = {
    "gpt_image": {"auto", "low", "medium", "high"},
    "dall_e": {"standard", "hd"},
}


def check_media(body: MediaBody, deployment: SimulatedDeployment) -> None:
    """Checks a body against the model.

    Raises:
        Refusal: 400, with the parameter at fault.
    """
    match body:
        case ImageBody():
            _check_image(body, deployment)
        case TranscriptionBody():
            if deployment.family == "transcribe" and body.response_format not in {"json", "text"}:
                raise invalid_request(
                    f"response_format '{body.response_format}' is not compatible with model "
                    f"'{deployment.model}'. Use 'json' or 'text' instead.",
                    "response_format",
                    "unsupported_value",
                )
        case SpeechBody():
            if body.stream_format == "sse" and not speaks_by_token(deployment):
                raise _invalid_value("stream_format", body.stream_format)


def is_streamed(body: MediaBody, deployment: SimulatedDeployment) -> bool:
    """Whether a stream is asked for and given; whisper passes the wish over."""
    match body:
        case SpeechBody():
            return body.stream_format == "sse"
        case TranscriptionBody():
            return bool(body.stream) and deployment.family == "transcribe"
        case ImageBody():
            return bool(body.stream)


def speaks_by_token(deployment: SimulatedDeployment) -> bool:
    """Whether a speaking model is billed by token; "tts" and "tts-hd" are by character."""
    return not deployment.model.startswith("tts")


def _check_image(body: ImageBody, deployment: SimulatedDeployment) -> None:
    family = deployment.family
    if body.size is not None and body.size not in _SIZES[family]:
        raise _invalid_value("size", body.size)
    if body.quality is not None and body.quality not in _QUALITIES[family]:
        raise _invalid_value("quality", body.quality)
    if family == "gpt_image" and body.response_format is not None:
        raise _unknown("response_format")
    if family == "dall_e" and body.stream is not None:
        raise _unknown("stream")
    one_only = body.stream or deployment.model.startswith("dall-e-3")
    if one_only and (body.n or 1) > 1:
        raise _invalid_value("n", str(body.n))


def _unknown(param: str) -> Refusal:
    return invalid_request(f"Unknown parameter: '{param}'.", param, "unknown_parameter")


def _invalid_value(param: str, value: str) -> Refusal:
    return invalid_request(f"Invalid value: '{value}' for '{param}'.", param, "invalid_value")
