"""Answers of audio/transcriptions and audio/translations, in each of their formats."""

from collections.abc import Iterator
from dataclasses import dataclass

from tollgate.local.simulator.frames import Frame, data_frame
from tollgate.local.simulator.generation import Generation
from tollgate.local.simulator.json_types import JsonObject, encode
from tollgate.local.simulator.media_bodies import TranscriptionBody
from tollgate.local.simulator.model_families import Family
from tollgate.local.simulator.prompts import Prompt, text_tokens
from tollgate.local.simulator.routes import Operation

# Every file counts as MP3 of 128 kbit/s, whatever is in it.
AUDIO_BYTES_PER_S = 16_000
AUDIO_TOKENS_PER_S = 10
_LANGUAGES = {"de": "german", "en": "english", "fr": "french", "tr": "turkish"}


def audio_duration_s(body: TranscriptionBody) -> int:
    """Length of the sound in whole seconds, at least 1."""
    return max(1, -(-body.file[0].size_bytes // AUDIO_BYTES_PER_S))


def transcript_prompt(body: TranscriptionBody) -> Prompt:
    """The sound and the text that guides its transcription."""
    audio_tokens = audio_duration_s(body) * AUDIO_TOKENS_PER_S
    tokens = audio_tokens + text_tokens(body.prompt)
    return Prompt(f"{body.prompt}\n{body.file[0].size_bytes}", tokens, audio_tokens=audio_tokens)


@dataclass(frozen=True, slots=True)
class TranscriptAnswer:
    """What was heard in one file.

    Attributes:
        body: The request.
        generation: The text, counted.
        family: Transcribing models are billed by token, whisper by duration.
        operation: A translation's JSON bears no usage.
        states_usage: False when the last event of a stream hides its usage.
    """

    body: TranscriptionBody
    generation: Generation
    family: Family
    operation: Operation
    states_usage: bool = True

    @property
    def text(self) -> str:
        """The transcript."""
        return self.generation.choices[0].text

    def billed_until(self, pieces: int) -> JsonObject:
        """What the provider bills when that many pieces had been generated."""
        if self.family == "whisper":
            return {"type": "duration", "seconds": audio_duration_s(self.body)}
        counts = self.generation.counts_until(pieces)
        text = counts.input - counts.audio_input
        return {
            "type": "tokens",
            "input_tokens": counts.input,
            "input_token_details": {"audio_tokens": counts.audio_input, "text_tokens": text},
            "output_tokens": counts.output,
            "total_tokens": counts.input + counts.output,
        }

    def billed(self) -> JsonObject:
        """What the provider bills of the whole transcript."""
        return self.billed_until(len(self.generation.choices[0].pieces))

    def whole(self) -> tuple[bytes, str]:
        """The body of an unstreamed answer, and its type."""
        match self.body.response_format:
            case "json":
                translates = self.operation == "audio.translations"
                usage = {} if translates else {"usage": self.billed()}
                return encode({"text": self.text, **usage}), "application/json"
            case "verbose_json":
                return encode(self._verbose()), "application/json"
            case "text":
                return f"{self.text}\n".encode(), "text/plain; charset=utf-8"
            case "srt":
                return self._subtitles("1\n", ",").encode(), "text/plain; charset=utf-8"
            case "vtt":
                return self._subtitles("WEBVTT\n\n", ".").encode(), "text/plain; charset=utf-8"

    def frames(self) -> Iterator[Frame]:
        """The events of a stream: deltas, then the whole text with usage."""
        pieces = self.generation.choices[0].pieces
        for sent, piece in enumerate(pieces, 1):
            yield data_frame({"type": "transcript.text.delta", "delta": piece}, sent)
        usage = {"usage": self.billed()} if self.states_usage else {}
        done = {"type": "transcript.text.done", "text": self.text, **usage}
        yield data_frame(done, len(pieces))

    def _verbose(self) -> JsonObject:
        duration_s = audio_duration_s(self.body)
        translates = self.operation == "audio.translations"
        language = "en" if translates else self.body.language or "en"
        segment: JsonObject = {
            "id": 0,
            "seek": 0,
            "start": 0.0,
            "end": float(duration_s),
            "text": self.text,
            "tokens": [],
            "temperature": 0.0,
            "avg_logprob": -0.25,
            "compression_ratio": 1.0,
            "no_speech_prob": 0.01,
        }
        return {
            "task": "translate" if translates else "transcribe",
            "language": _LANGUAGES.get(language, language),
            "duration": float(duration_s),
            "text": self.text,
            "segments": [segment],
            **({} if translates else {"usage": self.billed()}),
        }

    def _subtitles(self, opening: str, point: str) -> str:
        minutes, seconds = divmod(audio_duration_s(self.body), 60)
        hours, minutes = divmod(minutes, 60)
        end = f"{hours:02}:{minutes:02}:{seconds:02}{point}000"
        return f"{opening}00:00:00{point}000 --> {end}\n{self.text}\n\n"
