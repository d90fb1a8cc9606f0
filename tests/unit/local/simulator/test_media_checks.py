import json
from typing import Any

import pytest

from tollgate.local.simulator import RegionSettings
from tollgate.local.simulator.media_bodies import (
    ImageBody,
    MediaBody,
    SpeechBody,
    TranscriptionBody,
)
from tollgate.local.simulator.media_checks import check_media, is_streamed, speaks_by_token
from tollgate.local.simulator.multipart import UploadedFile
from tollgate.local.simulator.refusals import Refusal

SOUND = [UploadedFile("a.mp3", 10)]


@pytest.mark.parametrize(
    ("name", "body", "param"),
    [
        ("painter", ImageBody("a", size="1x1"), "size"),
        ("painter", ImageBody("a", quality="hd"), "quality"),
        ("painter", ImageBody("a", response_format="url"), "response_format"),
        ("painter", ImageBody("a", stream=True, n=2), "n"),
        ("dalle", ImageBody("a", n=2), "n"),
        ("dalle", ImageBody("a", stream=True), "stream"),
        ("scribe", TranscriptionBody(SOUND, response_format="srt"), "response_format"),
        ("tts", SpeechBody("a", "b", stream_format="sse"), "stream_format"),
    ],
)
def test_what_the_model_does_not_know_is_refused(
    settings: RegionSettings, name: str, body: MediaBody, param: str
) -> None:
    with pytest.raises(Refusal) as refused:
        check_media(body, settings.deployments[name])
    error: dict[str, Any] = json.loads(refused.value.body)["error"]
    assert (refused.value.status, error["param"]) == (400, param)


@pytest.mark.parametrize(
    ("name", "body", "streamed"),
    [
        ("painter", ImageBody("a", n=10, quality="low"), False),
        ("painter", ImageBody("a", stream=True), True),
        ("dalle", ImageBody("a", response_format="url", quality="hd"), False),
        ("scribe", TranscriptionBody(SOUND, response_format="text"), False),
        ("scribe", TranscriptionBody(SOUND, stream=True), True),
        ("whisper", TranscriptionBody(SOUND, response_format="srt", stream=True), False),
        ("voice", SpeechBody("a", "b", stream_format="sse"), True),
        ("tts", SpeechBody("a", "b"), False),
    ],
)
def test_what_the_model_knows_passes(
    settings: RegionSettings, name: str, body: MediaBody, *, streamed: bool
) -> None:
    check_media(body, settings.deployments[name])
    assert is_streamed(body, settings.deployments[name]) is streamed


def test_older_voices_are_billed_by_character(settings: RegionSettings) -> None:
    assert speaks_by_token(settings.deployments["voice"])
    assert not speaks_by_token(settings.deployments["tts"])
