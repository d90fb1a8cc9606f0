import pytest

from tollgate.local.simulator.model_families import can_do, family_of
from tollgate.local.simulator.routes import Operation


@pytest.mark.parametrize(
    ("model", "family"),
    [
        ("gpt-4o-mini", "text"),
        ("o3-mini", "text"),
        ("text-embedding-3-small", "embedding"),
        ("gpt-image-1", "gpt_image"),
        ("dall-e-3", "dall_e"),
        ("whisper", "whisper"),
        ("gpt-4o-mini-transcribe", "transcribe"),
        ("gpt-4o-mini-tts", "speech"),
        ("tts-hd", "speech"),
    ],
)
def test_name_tells_the_family(model: str, family: str) -> None:
    assert family_of(model) == family


@pytest.mark.parametrize(
    ("model", "operation", "possible"),
    [
        ("gpt-4o", "responses", True),
        ("gpt-4o", "audio.speech", False),
        ("gpt-image-1", "images.edits", True),
        ("dall-e-3", "images.edits", False),
        ("whisper", "audio.translations", True),
        ("gpt-4o-transcribe", "audio.translations", False),
    ],
)
def test_family_decides_what_can_be_done(
    model: str, operation: Operation, *, possible: bool
) -> None:
    assert can_do(model, operation) is possible
