from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tollgate.usage.extraction import StreamMeter
from tollgate.usage.sse import Frame
from tollgate.usage.tokens import Tokens

USAGE = {"input_tokens": 5, "output_tokens": 7}


def see(meter: StreamMeter, kind: str, **members: Any) -> str:
    data = msgspec.json.encode({"type": kind} | members)
    return meter.see(Frame(b"", kind, data))


@pytest.mark.parametrize(
    ("api", "stem"), [("images.generations", "image_generation"), ("images.edits", "image_edit")]
)
def test_an_image_stream_is_measured_by_its_last_event(api: str, stem: str) -> None:
    meter = StreamMeter(api)
    assert see(meter, f"{stem}.partial_image", b64_json="aGk=" * 9) == "content"
    assert meter.output_characters == 0
    assert see(meter, f"{stem}.completed", b64_json="aGk=", usage=USAGE) == "done"
    assert meter.measurement.tokens == Tokens(input=5, output=7, image_output=7)


def test_a_transcript_is_measured_by_its_last_event() -> None:
    meter = StreamMeter("audio.transcriptions")
    assert see(meter, "transcript.text.delta", delta="four") == "content"
    usage = USAGE | {"type": "tokens", "input_token_details": {"audio_tokens": 4}}
    assert see(meter, "transcript.text.done", text="four", usage=usage) == "done"
    assert meter.output_characters == 4
    assert meter.measurement.tokens == Tokens(input=5, audio_input=4, output=7)


def test_a_transcript_may_be_measured_in_time() -> None:
    meter = StreamMeter("audio.transcriptions")
    see(meter, "transcript.text.done", usage={"type": "duration", "seconds": 2.5})
    assert (meter.measurement.tokens, meter.measurement.units) == (None, {"milliseconds": 2500})


def test_speech_is_sound_and_no_text() -> None:
    meter = StreamMeter("audio.speech")
    assert see(meter, "speech.audio.delta", audio="UklGRg==") == "content"
    assert see(meter, "speech.audio.done", usage=USAGE) == "done"
    assert meter.output_characters == 0
    assert meter.measurement.tokens == Tokens(input=5, output=7, audio_output=7)


def test_a_speech_stream_without_usage_is_not_measured() -> None:
    meter = StreamMeter("audio.speech")
    assert see(meter, "speech.audio.done") == "done"
    assert meter.measurement.tokens is None


def test_a_responses_stream_has_the_calls_of_its_last_event() -> None:
    meter = StreamMeter("responses")
    for status in ("queued", "in_progress"):
        see(meter, f"response.{status}", response={"id": "r", "status": status, "usage": None})
        assert (meter.measurement.status, meter.measurement.tokens) == (status, None)
    output = [{"type": "web_search_call"}]
    last = {"id": "r", "status": "completed", "usage": USAGE, "output": output}
    assert see(meter, "response.completed", response=last) == "done"
    assert meter.measurement.units == {"web_search_calls": 1}
    assert meter.measurement.status == "completed"


@pytest.mark.parametrize(
    "kind", ["response.output_text.delta", "response.mcp_call_arguments.delta"]
)
def test_a_delta_of_an_odd_type_is_content_without_text(kind: str) -> None:
    meter = StreamMeter("responses")
    assert see(meter, kind, delta={"odd": 1}) == "content"
    assert meter.output_characters == 0


def test_sound_and_partial_images_of_a_response_are_no_text() -> None:
    meter = StreamMeter("responses")
    assert see(meter, "response.audio.delta", delta="UklGRg==") == "content"
    kind = "response.image_generation_call.partial_image"
    assert see(meter, kind, partial_image_b64="aGk=") == "content"
    assert meter.output_characters == 0


@pytest.mark.parametrize(
    "odd",
    [{"usage": USAGE, "type": "response.completed", "response": 7}, {"usage": USAGE, "delta": 1}],
)
def test_an_odd_member_of_an_event_hides_no_count(odd: dict[str, Any]) -> None:
    meter = StreamMeter("responses")
    meter.see(Frame(b"", "", msgspec.json.encode(odd)))
    assert meter.measurement.tokens == Tokens(input=5, output=7)


@pytest.mark.parametrize("data", [b"{", b"[]", b"7", b"\xff", b'{"type": 7}', b"{}"])
def test_an_event_that_is_not_understood_is_passed_on(data: bytes) -> None:
    assert StreamMeter("images.generations").see(Frame(b"", "", data)) == "other"
