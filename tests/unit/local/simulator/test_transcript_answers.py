import json
from typing import Any

import pytest
from openai.types.audio import TranscriptionVerbose

from tollgate.local.simulator import SimulatedDeployment
from tollgate.local.simulator.generation import generate
from tollgate.local.simulator.media_bodies import TranscriptFormat, TranscriptionBody
from tollgate.local.simulator.model_families import Family
from tollgate.local.simulator.multipart import UploadedFile
from tollgate.local.simulator.routes import Operation
from tollgate.local.simulator.tasks import Task
from tollgate.local.simulator.transcript_answers import (
    TranscriptAnswer,
    audio_duration_s,
    transcript_prompt,
)


def _answer(
    deployment: SimulatedDeployment,
    family: Family,
    form: TranscriptFormat = "json",
    operation: Operation = "audio.transcriptions",
) -> TranscriptAnswer:
    sound = UploadedFile("a.mp3", 50_000)
    body = TranscriptionBody([sound], prompt="names", response_format=form, language="de")
    generation = generate(Task(transcript_prompt(body)), deployment)
    return TranscriptAnswer(body, generation, family, operation)


@pytest.mark.parametrize(("size_bytes", "duration_s"), [(0, 1), (16_000, 1), (16_001, 2)])
def test_sound_is_as_long_as_its_bytes(size_bytes: int, duration_s: int) -> None:
    body = TranscriptionBody([UploadedFile("a.mp3", size_bytes)])
    assert audio_duration_s(body) == duration_s


def test_transcribing_model_states_tokens(mini: SimulatedDeployment) -> None:
    answer = _answer(mini, "transcribe")
    shown: Any = json.loads(answer.whole()[0])
    written = len(answer.generation.choices[0].pieces)
    assert shown["usage"] == {
        "type": "tokens",
        "input_tokens": 42,
        "input_token_details": {"audio_tokens": 40, "text_tokens": 2},
        "output_tokens": written,
        "total_tokens": 42 + written,
    }


def test_whisper_states_its_duration(mini: SimulatedDeployment) -> None:
    content, content_type = _answer(mini, "whisper").whole()
    assert content_type == "application/json"
    assert json.loads(content)["usage"] == {"type": "duration", "seconds": 4}


def test_translation_states_no_usage(mini: SimulatedDeployment) -> None:
    answer = _answer(mini, "whisper", operation="audio.translations")
    assert json.loads(answer.whole()[0]).keys() == {"text"}
    assert answer.billed() == {"type": "duration", "seconds": 4}
    verbose = json.loads(_answer(mini, "whisper", "verbose_json", "audio.translations").whole()[0])
    assert (verbose["task"], verbose["duration"]) == ("translate", 4)


def test_verbose_form_has_the_duration(mini: SimulatedDeployment) -> None:
    content, _ = _answer(mini, "whisper", "verbose_json").whole()
    shown = TranscriptionVerbose.model_validate_json(content)
    assert (shown.duration, shown.language) == (4.0, "german")
    assert shown.segments is not None
    assert shown.segments[0].text == shown.text


@pytest.mark.parametrize(
    ("form", "start"),
    [
        ("text", ""),
        ("srt", "1\n00:00:00,000 --> 00:00:04,000\n"),
        ("vtt", "WEBVTT\n\n00:00:00.000 --> 00:00:04.000\n"),
    ],
)
def test_other_forms_are_text(
    mini: SimulatedDeployment, form: TranscriptFormat, start: str
) -> None:
    answer = _answer(mini, "whisper", form)
    content, content_type = answer.whole()
    assert content_type.startswith("text/plain")
    assert content.decode().startswith(start + answer.text)


def test_stream_ends_with_the_text_and_usage(mini: SimulatedDeployment) -> None:
    answer = _answer(mini, "transcribe")
    *deltas, done = [json.loads(frame.data[6:]) for frame in answer.frames()]
    assert "".join(delta["delta"] for delta in deltas) == done["text"] == answer.text
    assert (done["type"], done["usage"]) == ("transcript.text.done", answer.billed())


def test_cut_stream_is_billed_as_far_as_it_came(mini: SimulatedDeployment) -> None:
    assert _answer(mini, "transcribe").billed_until(2)["output_tokens"] == 2
