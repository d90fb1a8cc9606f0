"""Answers of audio/speech: silent frames of MP3, in one piece or as events."""

from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass

from tollgate.local.simulator.frames import Frame, data_frame
from tollgate.local.simulator.json_types import JsonObject
from tollgate.local.simulator.media_bodies import SpeechBody
from tollgate.local.simulator.prompts import text_tokens

# One frame of silence: MPEG 1 layer III, 128 kbit/s, 44.1 kHz, 417 bytes, about 26 ms.
SILENCE = b"\xff\xfb\x90\x64".ljust(417, b"\0")
# Sound that a token of text takes to be spoken.
AUDIO_TOKENS_PER_TOKEN = 4
_CONTENT_TYPES = {"mp3": "audio/mpeg"}


@dataclass(frozen=True, slots=True)
class SpeechAnswer:
    """A text that is spoken.

    Attributes:
        body: The request.
        by_token: Whether the model is billed by token; the older ones are by character.
        states_usage: False when the last event of a stream hides its usage.
    """

    body: SpeechBody
    by_token: bool
    states_usage: bool = True

    @property
    def pieces(self) -> int:
        """Pieces of sound: one for each token of the text."""
        return text_tokens(self.body.input)

    @property
    def content_type(self) -> str:
        """Type of the sound."""
        wanted = self.body.response_format
        return _CONTENT_TYPES.get(wanted, f"audio/{wanted}")

    def billed_until(self, pieces: int) -> JsonObject:
        """What the provider bills when that many pieces had been spoken."""
        if not self.by_token:
            return {"type": "characters", "characters": len(self.body.input)}
        read = text_tokens(self.body.input) + text_tokens(self.body.instructions)
        spoken = pieces * AUDIO_TOKENS_PER_TOKEN
        return {"input_tokens": read, "output_tokens": spoken, "total_tokens": read + spoken}

    def whole(self) -> bytes:
        """The sound; only as MP3 can it be played."""
        return SILENCE * self.pieces

    def frames(self) -> Iterator[Frame]:
        """The events of a stream: sound, then usage."""
        audio = b64encode(SILENCE).decode()
        for sent in range(1, self.pieces + 1):
            yield data_frame({"type": "speech.audio.delta", "audio": audio}, sent)
        usage = {"usage": self.billed_until(self.pieces)} if self.states_usage else {}
        yield data_frame({"type": "speech.audio.done", **usage}, self.pieces)
