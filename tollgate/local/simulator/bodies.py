"""Request bodies, as far as an answer depends on them; unknown members are let through."""

from typing import Annotated, TypeAlias, TypeVar

import msgspec
from msgspec import Meta, Struct

from tollgate.local.simulator.json_types import JsonObject
from tollgate.local.simulator.refusals import invalid_request
from tollgate.local.simulator.routes import Operation

Count: TypeAlias = Annotated[int, Meta(ge=1)]
# One text, several texts, one prompt of token ids, or several of them.
Texts: TypeAlias = str | list[str | int | list[int]]
_Struct = TypeVar("_Struct", bound=Struct)


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


Body: TypeAlias = ChatBody | CompletionBody | EmbeddingBody | ResponseBody

_CHAT = msgspec.json.Decoder(ChatBody)
_COMPLETION = msgspec.json.Decoder(CompletionBody)
_EMBEDDING = msgspec.json.Decoder(EmbeddingBody)
_RESPONSE = msgspec.json.Decoder(ResponseBody)


def decode_body(operation: Operation, content: bytes) -> Body | None:
    """The body of a call, or None for an operation that takes none.

    Raises:
        Refusal: 400, the body is not JSON or not what the operation takes.
    """
    match operation:
        case "chat.completions":
            return _decode(_CHAT, content)
        case "completions":
            return _decode(_COMPLETION, content)
        case "embeddings":
            return _decode(_EMBEDDING, content)
        case "responses":
            return _decode(_RESPONSE, content)
        case _:
            return None


def _decode(decoder: "msgspec.json.Decoder[_Struct]", content: bytes) -> _Struct:
    try:
        return decoder.decode(content)
    except msgspec.ValidationError as problem:
        raise invalid_request(str(problem)) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise invalid_request("We could not parse the JSON body of your request.") from None
