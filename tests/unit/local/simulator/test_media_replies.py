from time import monotonic
from typing import Any

import aiohttp
import pytest

from tollgate.local.simulator import SimulatedRegion
from tollgate.local.simulator.faults import (
    BreakBody,
    BreakStream,
    ErrorMidStream,
    Fault,
    HttpError,
    NoUsageFrame,
    Refuse,
    Reset,
    SlowFirstByte,
    Throttle,
)

IMAGES = "/openai/v1/images/generations"
EDITS = "/openai/v1/images/edits"
TRANSCRIPTS = "/openai/v1/audio/transcriptions"
SPEECH = "/openai/v1/audio/speech"
PLAIN = [
    (IMAGES, {"model": "painter", "prompt": "a cat"}),
    (IMAGES, {"model": "dalle", "prompt": "a cat"}),
    (SPEECH, {"model": "voice", "voice": "alloy", "input": "hello you"}),
]


async def test_edit_bills_its_picture(api: Any, region: SimulatedRegion) -> None:
    answer = await api.form(EDITS, field="image", model="painter", prompt="a cat")
    usage = (await answer.json())["usage"]
    assert usage["input_tokens_details"] == {"image_tokens": 194, "text_tokens": 2}
    [entry] = region.log
    assert (entry.operation, entry.deployment, entry.usage) == ("images.edits", "painter", usage)


async def test_dated_path_names_the_deployment(api: Any, region: SimulatedRegion) -> None:
    path = "/openai/deployments/scribe/audio/transcriptions?api-version=2025-04-01-preview"
    answer = await api.form(path)
    assert answer.status == 200
    assert (region.log[0].deployment, region.log[0].served_by) == ("scribe", "scribe")
    assert (await answer.json())["usage"] == region.log[0].usage


async def test_text_has_no_usage_and_is_billed(api: Any, region: SimulatedRegion) -> None:
    answer = await api.form(TRANSCRIPTS, model="whisper", response_format="vtt")
    assert answer.content_type == "text/plain"
    assert (await answer.text()).startswith("WEBVTT")
    assert region.log[0].usage == {"type": "duration", "seconds": 2}


async def test_sound_is_translated(api: Any, region: SimulatedRegion) -> None:
    answer = await api.form("/openai/v1/audio/translations", model="whisper")
    assert (await answer.json()).keys() == {"text"}
    assert region.log[0].usage == {"type": "duration", "seconds": 2}


async def test_whisper_does_not_stream(api: Any, region: SimulatedRegion) -> None:
    answer = await api.form(TRANSCRIPTS, model="whisper", stream="true")
    assert answer.content_type == "application/json"
    assert region.log[0].streamed is False


async def test_cut_transcript_bills_what_was_written(api: Any, region: SimulatedRegion) -> None:
    region.faults.add(BreakStream(after_frames=2))
    with pytest.raises(aiohttp.ClientPayloadError):
        await api.form(TRANSCRIPTS, model="scribe", stream="true")
    [entry] = region.log
    assert entry.usage is not None
    assert (entry.outcome, entry.usage["output_tokens"]) == ("broken", 2)


async def test_speech_is_sound(api: Any, region: SimulatedRegion) -> None:
    body = {"model": "tts", "voice": "alloy", "input": "hello"}
    async with api.session.post(SPEECH, json=body) as answer:
        assert (answer.status, answer.content_type) == (200, "audio/mpeg")
        assert len(await answer.read()) == 834
    assert region.log[0].usage == {"type": "characters", "characters": 5}


@pytest.mark.parametrize(("path", "body"), PLAIN)
@pytest.mark.parametrize("fault", [HttpError(status=429), Throttle()])
async def test_media_meet_the_faults_of_text(
    api: Any, region: SimulatedRegion, path: str, body: dict[str, str], fault: Fault
) -> None:
    region.faults.add(fault)
    assert (await api.post(path, **body))[0] == 429
    assert (region.log[0].faults, region.log[0].usage) == ([fault.kind], None)


async def test_image_may_begin_late(api: Any, region: SimulatedRegion) -> None:
    region.faults.add(SlowFirstByte(delay_s=0.1))
    before = monotonic()
    await api.post(IMAGES, model="painter", prompt="a cat")
    assert monotonic() - before >= 0.1


@pytest.mark.parametrize(("path", "body"), PLAIN)
@pytest.mark.parametrize("fault", [BreakBody(), Refuse(), Reset()])
async def test_media_are_cut_off_as_text_is(
    api: Any, region: SimulatedRegion, path: str, body: dict[str, str], fault: Fault
) -> None:
    region.faults.add(fault)
    with pytest.raises((aiohttp.ClientError, ConnectionError)):
        async with api.session.post(path, json=body) as answer:
            await answer.read()
    assert region.log[0].outcome == "broken"


async def test_usage_of_a_stream_may_be_withheld(api: Any, region: SimulatedRegion) -> None:
    region.faults.add(NoUsageFrame())
    sent = {"voice": "alloy", "input": "hello", "stream_format": "sse"}
    *_, done = await api.events(SPEECH, model="voice", **sent)
    assert done == {"type": "speech.audio.done"}
    assert region.log[0].usage is not None


async def test_stream_of_speech_may_fail(api: Any, region: SimulatedRegion) -> None:
    region.faults.add(ErrorMidStream(after_frames=1))
    sent = {"voice": "alloy", "input": "hello you", "stream_format": "sse"}
    *_, failed = await api.events(SPEECH, model="voice", **sent)
    assert failed["error"]["code"] == "InternalServerError"
    [entry] = region.log
    assert entry.usage is not None
    assert entry.usage["output_tokens"] == 4


async def test_model_must_support_the_operation(api: Any) -> None:
    answer = await api.form(TRANSCRIPTS, model="mini")
    assert (await answer.json())["error"]["code"] == "OperationNotSupported"
    assert (await api.chat("painter"))[0] == 400


async def test_log_shows_neither_file_nor_prompt(api: Any, region: SimulatedRegion) -> None:
    await api.form(EDITS, field="image", model="painter", prompt="a secret cat")
    assert "secret cat" not in repr(region.log[0])
