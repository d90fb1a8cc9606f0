"""Request bodies, as far as an answer depends on them; unknown members are let through."""

from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta, Struct

from tollgate.local.simulator.json_types import JsonObject
from tollgate.local.simulator.media_bodies import ImageBody, MediaBody, SpeechBody, decode_form
from tollgate.local.simulator.refusals import invalid_request
from tollgate.local.simulator.routes import Operation

Count: TypeAlias = Annotated[int, Meta(ge=1)]
# One text, several texts, one prompt of token ids, or several of them.
Texts: TypeAlias = str | list[str | int | list[int]]


class StreamOptions(Struct, frozen=True):
    """`stream_options`."""

    include_usage: bool | None = None
    include_obfuscation: bool | None = None


class Part(Struct, frozen=True):
    """One part of a message: text, image or sound, in the spelling of either API."""

    type: str
    text: str | None = None
    image_url: JsonObject | str | None = None
    input_audio: JsonObject | None = None


class Message(Struct, frozen=True):
    """A chat message, or an input item of the Responses API."""

    type: str = "message"
    role: str | None = None
    content: str | list[Part] | None = None
    tool_calls: list[JsonObject] | None = None
    arguments: str | None = None
    output: str | list[Part] | None = None


class ChatBody(Struct, frozen=True):
    """Body of chat/completions."""

    messages: Annotated[list[Message], Meta(min_length=1)]
    model: str | None = None
    n: Count | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: Count | None = None
    max_completion_tokens: Count | None = None
    tools: list[JsonObject] | None = None
    tool_choice: str | JsonObject | None = None
    response_format: JsonObject | None = None
    reasoning_effort: str | None = None
    modalities: list[str] | None = None
    prediction: JsonObject | None = None
    service_tier: str | None = None


class CompletionBody(Struct, frozen=True):
    """Body of completions."""

    prompt: Texts | None = None
    model: str | None = None
    n: Count | None = None
    best_of: Count | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: Count | None = None
    service_tier: str | None = None


class EmbeddingBody(Struct, frozen=True):
    """Body of embeddings."""

    input: Texts
    model: str | None = None
    encoding_format: str | None = None
    dimensions: Count | None = None


class ResponseBody(Struct, frozen=True):
    """Body of responses."""

    input: str | list[Message] = ""
    model: str | None = None
    instructions: str | None = None
    previous_response_id: str | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_output_tokens: Count | None = None
    tools: list[JsonObject] | None = None
    tool_choice: str | JsonObject | None = None
    text: JsonObject | None = None
    reasoning: JsonObject | None = None
    store: bool | None = None
    background: bool | None = None
    metadata: JsonObject | None = None
    service_tier: str | None = None


Body: TypeAlias = ChatBody | CompletionBody | EmbeddingBody | ResponseBody | MediaBody

_JSON: dict[Operation, type[Body]] = {
    "chat.completions": ChatBody,
    "completions": CompletionBody,
    "embeddings": EmbeddingBody,
    "responses": ResponseBody,
    "images.generations": ImageBody,
    "audio.speech": SpeechBody,
}
_DECODERS = {operation: msgspec.json.Decoder(kind) for operation, kind in _JSON.items()}
_FORMS: frozenset[Operation] = frozenset(
    {"images.edits", "audio.transcriptions", "audio.translations"}
)


def decode_body(operation: Operation, content: bytes, content_type: str = "") -> Body | None:
    """The body of a call, or None for an operation that takes none.

    Args:
        operation: What is asked for; decides what the body must be.
        content: The body.
        content_type: The request's `content-type`, which a form needs.

    Raises:
        Refusal: 400, the body is not what the operation takes.
    """
    if operation in _FORMS:
        return decode_form(operation, content, content_type)
    decoder = _DECODERS.get(operation)
    return None if decoder is None else _decode(decoder, content)


def _decode(decoder: "msgspec.json.Decoder[Body]", content: bytes) -> Body:
    try:
        return decoder.decode(content)
    except msgspec.ValidationError as problem:
        raise invalid_request(str(problem)) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise invalid_request("We could not parse the JSON body of your request.") from None
