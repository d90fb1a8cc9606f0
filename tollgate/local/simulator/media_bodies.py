"""Bodies of images and audio, as far as an answer depends on them; some come as forms."""

from typing import Annotated, Literal, TypeAlias, TypeVar

import msgspec
from msgspec import Meta, Struct

from tollgate.local.simulator.json_types import JsonObject
from tollgate.local.simulator.multipart import UploadedFile, read_form
from tollgate.local.simulator.refusals import invalid_request
from tollgate.local.simulator.routes import Operation

TranscriptFormat: TypeAlias = Literal["json", "verbose_json", "text", "srt", "vtt"]
SpeechFormat: TypeAlias = Literal["mp3", "opus", "aac", "flac", "wav", "pcm"]
_Form = TypeVar("_Form", bound=Struct)


class ImageBody(Struct, frozen=True):
    """Body of images/generations, and form of images/edits, which has `image`."""

    prompt: Annotated[str, Meta(min_length=1, max_length=32_000)]
    model: str | None = None
    n: Annotated[int, Meta(ge=1, le=10)] | None = None
    size: str | None = None
    quality: str | None = None
    response_format: Literal["url", "b64_json"] | None = None
    output_format: Literal["png", "jpeg", "webp"] | None = None
    background: Literal["transparent", "opaque", "auto"] | None = None
    stream: bool | None = None
    partial_images: Annotated[int, Meta(ge=0, le=3)] | None = None
    image: list[UploadedFile] = []


class TranscriptionBody(Struct, frozen=True):
    """Form of audio/transcriptions and audio/translations."""

    file: Annotated[list[UploadedFile], Meta(min_length=1)]
    model: str | None = None
    prompt: str = ""
    language: str | None = None
    response_format: TranscriptFormat = "json"
    stream: bool | None = None


class SpeechBody(Struct, frozen=True):
    """Body of audio/speech."""

    input: Annotated[str, Meta(min_length=1, max_length=4096)]
    voice: str | JsonObject
    model: str | None = None
    instructions: str = ""
    response_format: SpeechFormat = "mp3"
    stream_format: Literal["audio", "sse"] = "audio"


MediaBody: TypeAlias = ImageBody | TranscriptionBody | SpeechBody
# The files that a form cannot do without, by operation.
_NEEDED: dict[Operation, str] = {
    "images.edits": "image",
    "audio.transcriptions": "file",
    "audio.translations": "file",
}


def decode_form(operation: Operation, content: bytes, content_type: str) -> MediaBody:
    """The body of an operation that takes a form.

    Raises:
        Refusal: 400, the body is not a form or not what the operation takes.
    """
    form = read_form(content, content_type)
    needed = _NEEDED[operation]
    if needed not in form.files:
        raise invalid_request(
            f"Missing required parameter: '{needed}'.", needed, "missing_required_parameter"
        )
    values: JsonObject = {**form.fields, **form.files}
    return _converted(ImageBody if needed == "image" else TranscriptionBody, values)


def _converted(kind: type[_Form], values: JsonObject) -> _Form:
    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as problem:
        raise invalid_request(str(problem)) from None
