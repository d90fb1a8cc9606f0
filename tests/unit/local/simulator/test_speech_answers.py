import json

from tollgate.local.simulator.media_bodies import SpeechBody
from tollgate.local.simulator.speech_answers import SILENCE, SpeechAnswer

BODY = SpeechBody("hello you", "alloy", instructions="calm")


def test_sound_grows_with_the_text() -> None:
    answer = SpeechAnswer(BODY, by_token=True)
    assert answer.whole() == SILENCE * 3
    assert answer.content_type == "audio/mpeg"


def test_sound_has_the_type_that_is_asked_for() -> None:
    body = SpeechBody("hello", "alloy", response_format="opus")
    assert SpeechAnswer(body, by_token=True).content_type == "audio/opus"


def test_stream_ends_with_usage() -> None:
    *deltas, done = [
        json.loads(frame.data[6:]) for frame in SpeechAnswer(BODY, by_token=True).frames()
    ]
    assert [delta["type"] for delta in deltas] == ["speech.audio.delta"] * 3
    assert done == {
        "type": "speech.audio.done",
        "usage": {"input_tokens": 4, "output_tokens": 12, "total_tokens": 16},
    }


def test_usage_may_be_withheld() -> None:
    *_, done = SpeechAnswer(BODY, by_token=True, states_usage=False).frames()
    assert b"usage" not in done.data


def test_older_voices_are_billed_by_character() -> None:
    answer = SpeechAnswer(BODY, by_token=False)
    assert answer.billed_until(0) == {"type": "characters", "characters": 9}
