"""The official SDK's images, audio and background responses work against a region."""

import openai
import pytest
from openai import AsyncAzureOpenAI, AsyncOpenAI
from openai.types.audio import Transcription

from tollgate.local.simulator import SimulatedRegion
from tollgate.local.simulator.faults import ErrorFirstFrame

PICTURE = ("a.png", b"\0" * 10)
SOUND = ("a.mp3", b"\0" * 20_000)


async def test_image_is_generated(v1: AsyncOpenAI) -> None:
    answer = await v1.images.generate(model="painter", prompt="a cat", n=2, size="1024x1024")
    assert answer.usage is not None
    assert answer.usage.output_tokens == 2112
    assert len(answer.data or ()) == 2


async def test_image_of_the_older_model(dated: AsyncAzureOpenAI) -> None:
    answer = await dated.images.generate(model="dalle", prompt="a cat", quality="hd")
    assert answer.usage is None
    assert answer.data is not None
    assert answer.data[0].url


async def test_image_is_streamed(v1: AsyncOpenAI) -> None:
    stream = await v1.images.generate(
        model="painter", prompt="a cat", stream=True, partial_images=1
    )
    first, last = [event async for event in stream]
    assert first.type == "image_generation.partial_image"
    assert last.type == "image_generation.completed"
    assert last.usage.total_tokens == 2 + 1056 + 100


@pytest.mark.parametrize("images", [PICTURE, [PICTURE, PICTURE]])
async def test_image_is_edited(v1: AsyncOpenAI, images: tuple[str, bytes]) -> None:
    answer = await v1.images.edit(model="painter", image=images, prompt="a cat", n=1)
    assert answer.usage is not None
    assert answer.usage.input_tokens_details.image_tokens in {194, 388}


async def test_edit_on_the_dated_api_is_streamed(dated: AsyncAzureOpenAI) -> None:
    stream = await dated.images.edit(model="painter", image=PICTURE, prompt="a cat", stream=True)
    [last] = [event async for event in stream]
    assert last.type == "image_edit.completed"


async def test_failing_image_stream_is_an_api_error(
    v1: AsyncOpenAI, region: SimulatedRegion
) -> None:
    region.faults.add(ErrorFirstFrame())
    stream = await v1.images.generate(model="painter", prompt="a cat", stream=True)
    with pytest.raises(openai.APIError):
        async for _ in stream:
            pass


@pytest.mark.parametrize(("model", "kind"), [("scribe", "tokens"), ("whisper", "duration")])
async def test_sound_is_transcribed(v1: AsyncOpenAI, model: str, kind: str) -> None:
    answer = await v1.audio.transcriptions.create(model=model, file=SOUND)
    assert isinstance(answer, Transcription)
    assert answer.usage is not None
    assert answer.usage.type == kind


async def test_transcript_has_subtitles(dated: AsyncAzureOpenAI) -> None:
    answer = await dated.audio.transcriptions.create(
        model="whisper", file=SOUND, response_format="srt"
    )
    assert answer.startswith("1\n00:00:00,000")


async def test_transcript_is_verbose(v1: AsyncOpenAI) -> None:
    answer = await v1.audio.transcriptions.create(
        model="whisper", file=SOUND, response_format="verbose_json"
    )
    assert answer.duration == 2.0


async def test_transcript_is_streamed(v1: AsyncOpenAI) -> None:
    stream = await v1.audio.transcriptions.create(model="scribe", file=SOUND, stream=True)
    *_, last = [event async for event in stream]
    assert last.type == "transcript.text.done"
    assert last.usage is not None
    assert last.usage.input_tokens == 20


async def test_text_is_spoken(dated: AsyncAzureOpenAI) -> None:
    answer = await dated.audio.speech.create(model="voice", voice="alloy", input="hello")
    assert answer.content.startswith(b"\xff\xfb")


async def test_speech_is_streamed(v1: AsyncOpenAI) -> None:
    async with v1.audio.speech.with_streaming_response.create(
        model="voice", voice="alloy", input="hello", stream_format="sse"
    ) as answer:
        lines = [line async for line in answer.iter_lines() if line]
    assert lines[-1].startswith('data: {"type":"speech.audio.done","usage":')


async def test_background_response_is_polled_to_its_end(v1: AsyncOpenAI) -> None:
    response = await v1.responses.create(model="mini", input="hello", background=True)
    assert (response.status, response.usage) == ("queued", None)
    while response.status in {"queued", "in_progress"}:
        response = await v1.responses.retrieve(response.id)
    assert response.usage is not None
    assert (response.status, bool(response.output_text)) == ("completed", True)


async def test_background_response_is_cancelled(v1: AsyncOpenAI) -> None:
    response = await v1.responses.create(model="mini", input="hello", background=True)
    assert (await v1.responses.cancel(response.id)).status == "cancelled"


async def test_background_stream_is_resumed(v1: AsyncOpenAI) -> None:
    stream = await v1.responses.create(model="mini", input="hello", background=True, stream=True)
    first = await anext(aiter(stream))
    assert first.type == "response.created"
    await stream.close()
    resumed = await v1.responses.retrieve(first.response.id, stream=True, starting_after=0)
    kinds = [event.type async for event in resumed]
    assert (kinds[0], kinds[-1]) == ("response.queued", "response.completed")


async def test_input_items_are_listed(v1: AsyncOpenAI) -> None:
    response = await v1.responses.create(model="mini", input="hello")
    items = [item async for item in v1.responses.input_items.list(response.id)]
    assert [item.type for item in items] == ["message"]


async def test_hosted_tools_are_called(v1: AsyncOpenAI) -> None:
    response = await v1.responses.create(
        model="mini", input="hello", tools=[{"type": "web_search"}]
    )
    assert [item.type for item in response.output] == ["web_search_call", "message"]
    assert response.tool_usage is not None
    assert response.tool_usage.web_search.num_requests == 1
