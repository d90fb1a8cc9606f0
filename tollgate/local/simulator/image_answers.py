"""Answers of images/generations and images/edits: one tiny picture, whole or streamed."""

from collections.abc import Iterator
from dataclasses import dataclass

from tollgate.local.simulator.content_filters import choice_filter_results, prompt_filter_results
from tollgate.local.simulator.envelopes import Envelope
from tollgate.local.simulator.frames import Frame, event_frame
from tollgate.local.simulator.json_types import JsonObject
from tollgate.local.simulator.media_bodies import ImageBody
from tollgate.local.simulator.model_families import Family
from tollgate.local.simulator.prompts import text_tokens
from tollgate.local.simulator.routes import Operation

# One transparent pixel.
PICTURE_BASE64 = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJg"
    "gg=="
)
# Source of the token counts: OpenAI's image generation and vision guides, for gpt-image-1.
_OUTPUT_TOKENS = {
    "low": {"1024x1024": 272, "1024x1536": 408, "1536x1024": 400},
    "medium": {"1024x1024": 1056, "1024x1536": 1584, "1536x1024": 1568},
    "high": {"1024x1024": 4160, "1024x1536": 6240, "1536x1024": 6208},
}
TOKENS_PER_PARTIAL_IMAGE = 100
TOKENS_PER_INPUT_IMAGE = 194  # 65 and one tile of 129
_EVENT_NAMES: dict[Operation, str] = {
    "images.generations": "image_generation",
    "images.edits": "image_edit",
}


@dataclass(frozen=True, slots=True)
class ImageAnswer:
    """The pictures of one request.

    Attributes:
        body: The request.
        envelope: Ids and time.
        family: gpt-image-1's answers bear usage, dall-e's do not.
        states_usage: False when the last event of a stream hides its usage.
    """

    body: ImageBody
    envelope: Envelope
    family: Family
    states_usage: bool = True

    @property
    def size(self) -> str:
        """Width and height in pixels, "auto" decided."""
        asked = None if self.body.size == "auto" else self.body.size
        return asked or "1024x1024"

    @property
    def quality(self) -> str:
        """The quality, "auto" decided."""
        asked = None if self.body.quality == "auto" else self.body.quality
        return asked or ("medium" if self.family == "gpt_image" else "standard")

    def billed(self) -> JsonObject:
        """What the provider bills: tokens, or pictures where the model has no tokens."""
        if self.family == "gpt_image":
            return self.usage()
        shown = {"size": self.size, "quality": self.quality}
        return {"type": "images", "images": self.body.n or 1, **shown}

    def usage(self) -> JsonObject:
        """`usage` of gpt-image-1."""
        text = text_tokens(self.body.prompt)
        images = len(self.body.image) * TOKENS_PER_INPUT_IMAGE
        partial = TOKENS_PER_PARTIAL_IMAGE * self._partial_images()
        output = _OUTPUT_TOKENS[self.quality][self.size] * (self.body.n or 1) + partial
        return {
            "input_tokens": text + images,
            "input_tokens_details": {"image_tokens": images, "text_tokens": text},
            "output_tokens": output,
            "output_tokens_details": {"image_tokens": output, "text_tokens": 0},
            "total_tokens": text + images + output,
        }

    def whole(self) -> JsonObject:
        """The body of an unstreamed answer."""
        pictures = range(self.body.n or 1)
        if self.family == "gpt_image":
            data: list[JsonObject] = [{"b64_json": PICTURE_BASE64} for _ in pictures]
            return {
                "created": self.envelope.created,
                **self._appearance(),
                "data": data,
                "usage": self.usage(),
            }
        return {"created": self.envelope.created, "data": [self._dall_e(n) for n in pictures]}

    def frames(self, operation: Operation) -> Iterator[Frame]:
        """The events of a stream: partial pictures, then the completed one with usage."""
        name = _EVENT_NAMES[operation]
        shown: JsonObject = {
            "b64_json": PICTURE_BASE64,
            "created_at": self.envelope.created,
            **self._appearance(),
        }
        for index in range(self._partial_images()):
            kind = f"{name}.partial_image"
            yield event_frame(kind, {"type": kind, "partial_image_index": index, **shown}, 0)
        kind = f"{name}.completed"
        usage = {"usage": self.usage()} if self.states_usage else {}
        yield event_frame(kind, {"type": kind, **shown, **usage}, 0)

    def _partial_images(self) -> int:
        return (self.body.partial_images or 0) if self.body.stream else 0

    def _appearance(self) -> JsonObject:
        asked = self.body.background
        return {
            "background": asked if asked in {"transparent", "opaque"} else "opaque",
            "output_format": self.body.output_format or "png",
            "quality": self.quality,
            "size": self.size,
        }

    def _dall_e(self, index: int) -> JsonObject:
        name = self.envelope.ids.hexadecimal(f"image{index}")
        address = f"https://dalleproduse.blob.core.windows.invalid/private/{name}/generated_00.png"
        shown = (
            {"b64_json": PICTURE_BASE64}
            if self.body.response_format == "b64_json"
            else {"url": address}
        )
        [prompt] = prompt_filter_results()
        return {
            **shown,
            "revised_prompt": self.body.prompt,
            "content_filter_results": choice_filter_results(blocked=False),
            "prompt_filter_results": prompt["content_filter_results"],
        }
