"""The parts of a provider's whole answers that metering reads, whatever else is in them."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import msgspec

from tollgate.usage.salvage import SalvagingDecoder


class InputDetails(msgspec.Struct, frozen=True):
    """Parts of the input. Absent is 0, null is not known."""

    cached_tokens: int | None = 0
    cache_write_tokens: int | None = 0
    audio_tokens: int | None = 0
    image_tokens: int | None = 0


class OutputDetails(msgspec.Struct, frozen=True):
    """Parts of the output. Absent is 0, null is not known."""

    reasoning_tokens: int | None = 0
    audio_tokens: int | None = 0
    image_tokens: int | None = 0


NO_INPUT_DETAILS: Final = InputDetails()
NO_OUTPUT_DETAILS: Final = OutputDetails()


class Usage(msgspec.Struct, frozen=True):
    """Usage under the names of every API; null details are not known.

    Chat completions, completions and embeddings count `prompt_tokens`; Responses, images and audio
    count `input_tokens`. Transcriptions spell their details `input_token_details`, and whisper
    states `seconds` in place of tokens.
    """

    prompt_tokens: int | None = None
    completion_tokens: int | None = 0  # embeddings have none
    prompt_tokens_details: InputDetails | None = NO_INPUT_DETAILS
    completion_tokens_details: OutputDetails | None = NO_OUTPUT_DETAILS
    input_tokens: int | None = None
    output_tokens: int | None = None
    input_tokens_details: InputDetails | None = NO_INPUT_DETAILS
    output_tokens_details: OutputDetails | None = NO_OUTPUT_DETAILS
    input_token_details: InputDetails | None = NO_INPUT_DETAILS
    seconds: Decimal | None = None


class ToolAction(msgspec.Struct, frozen=True):
    """What a call of the web search tool did: `search`, `open_page` or `find_in_page`."""

    type: str | None = None


class OutputItem(msgspec.Struct, frozen=True):
    """An item of a response's output, for the tool calls among them."""

    type: str | None = None
    container_id: str | None = None
    action: ToolAction | None = None


class WebSearchUsage(msgspec.Struct, frozen=True):
    """What the web search tool was used for."""

    num_requests: int | None = None


class CachedDetails(msgspec.Struct, frozen=True):
    """Parts of the cached input of the image generation tool."""

    cached_image_tokens: int | None = None


class ImageToolUsage(Usage, frozen=True):
    """The tokens of the image generation tool; unlike others it counts cached ones at the top."""

    cached_tokens: int | None = None
    cached_tokens_details: CachedDetails | None = None


class ToolUsage(msgspec.Struct, frozen=True):
    """A response's use of tools, which its `usage` leaves out."""

    image_gen: ImageToolUsage | None = None
    web_search: WebSearchUsage | None = None


class ProviderAnswer(msgspec.Struct, frozen=True):
    """A whole answer, or the `response` of a Responses event."""

    id: str | None = None
    model: str | None = None
    service_tier: str | None = None
    status: str | None = None
    usage: Usage | None = None
    output: list[OutputItem] | None = None
    tool_usage: ToolUsage | None = None


class AnImage(msgspec.Struct, frozen=True):
    """One image of an answer; what it shows is skipped over."""


class ImagesAnswer(ProviderAnswer, frozen=True):
    """The answer of an images API."""

    data: list[AnImage] | None = None


class TranscriptAnswer(ProviderAnswer, frozen=True):
    """The answer of a transcription or translation; `verbose_json` states the seconds heard."""

    duration: Decimal | None = None


_answers: Final = SalvagingDecoder(ProviderAnswer)
_decoders: Final[dict[str, SalvagingDecoder[ProviderAnswer]]] = {
    "images.generations": SalvagingDecoder[ProviderAnswer](ImagesAnswer),
    "images.edits": SalvagingDecoder[ProviderAnswer](ImagesAnswer),
    "audio.transcriptions": SalvagingDecoder[ProviderAnswer](TranscriptAnswer),
    "audio.translations": SalvagingDecoder[ProviderAnswer](TranscriptAnswer),
}


def read_answer(data: bytes, api: str) -> ProviderAnswer | None:
    """Read a whole answer; None for what is no JSON object."""
    return _decoders.get(api, _answers).read(data)
