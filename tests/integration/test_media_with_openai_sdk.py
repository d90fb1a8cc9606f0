"""Pictures and sound: a client sees what it sees at Azure OpenAI, and each call is counted."""

from __future__ import annotations

from typing import Any

import pytest
from serving import World
from twins import Case, Shape, assert_counted_as_billed, seen_by_both

pytest_plugins = ["twins"]
pytestmark = [
    pytest.mark.integration,
    pytest.mark.asyncio(loop_scope="module"),
    # The SDK's own word on translations.
    pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning"),
]

SOUND = ("call.mp3", b"\xff\xfb\x90\x64" * 20_000, "audio/mpeg")  # 80,000 bytes, 5 s
PICTURE = ("pixel.png", b"\x89PNG\r\n\x1a\n" + b"\0" * 64, "image/png")
IMAGES, EDITS = "images.generations", "images.edits"
HEARD, TRANSLATED, SPOKEN = "audio.transcriptions", "audio.translations", "audio.speech"
PAINTER, OLD_PAINTER, LISTENER = "gpt-image-1", "dall-e-3", "gpt-4o-transcribe"
OLD_LISTENER, SPEAKER, OLD_SPEAKER = "whisper", "gpt-4o-mini-tts", "tts-1"


async def all_of(made: Any, streamed: object) -> Any:
    return [event async for event in made] if streamed else made


def image(**options: Any) -> Shape:
    async def ask(client: Any, model: str) -> Any:
        made = await client.images.generate(model=model, prompt="A ledger", **options)
        return await all_of(made, options.get("stream"))

    return ask


def edit(**options: Any) -> Shape:
    async def ask(client: Any, model: str) -> Any:
        made = await client.images.edit(model=model, prompt="Bluer", **options)
        return await all_of(made, options.get("stream"))

    return ask


def transcription(**options: Any) -> Shape:
    async def ask(client: Any, model: str) -> Any:
        made = await client.audio.transcriptions.create(model=model, file=SOUND, **options)
        return await all_of(made, options.get("stream"))

    return ask


def translation(**options: Any) -> Shape:
    async def ask(client: Any, model: str) -> Any:
        return await client.audio.translations.create(model=model, file=SOUND, **options)

    return ask


def speech(**options: Any) -> Shape:
    async def ask(client: Any, model: str) -> Any:
        said = await client.audio.speech.create(
            model=model, input="Guten Tag, Zürich", voice="alloy", **options
        )
        return said.content

    return ask


def streamed_speech(**options: Any) -> Shape:
    async def ask(client: Any, model: str) -> Any:
        async with client.audio.speech.with_streaming_response.create(
            model=model, input="Guten Tag, Zürich", voice="alloy", **options
        ) as said:
            return [said.headers["content-type"], await said.read()]

    return ask


CASES = {
    "an image": Case(image(), IMAGES, model=PAINTER),
    "two large images": Case(image(n=2, size="1536x1024", quality="high"), IMAGES, model=PAINTER),
    "an image streamed": Case(
        image(stream=True, partial_images=2), IMAGES, streamed=True, model=PAINTER
    ),
    "an image of an older model": Case(
        image(quality="hd", size="1024x1792"), IMAGES, "estimated", model=OLD_PAINTER
    ),
    "an edit": Case(edit(image=PICTURE), EDITS, model=PAINTER),
    "an edit of two images": Case(edit(image=[PICTURE, PICTURE], n=2), EDITS, model=PAINTER),
    "an edit streamed": Case(edit(image=PICTURE, stream=True), EDITS, streamed=True, model=PAINTER),
    "a transcript": Case(transcription(prompt="Zürich"), HEARD, model=LISTENER),
    "a transcript streamed": Case(transcription(stream=True), HEARD, streamed=True, model=LISTENER),
    "a transcript by time": Case(transcription(), HEARD, model=OLD_LISTENER),
    "a verbose transcript": Case(
        transcription(response_format="verbose_json", language="de"), HEARD, model=OLD_LISTENER
    ),
    "a verbose translation": Case(
        translation(response_format="verbose_json"), TRANSLATED, model=OLD_LISTENER
    ),
    "speech": Case(speech(), SPOKEN, "estimated", model=OLD_SPEAKER),
    "speech taken as it comes": Case(streamed_speech(), SPOKEN, "estimated", model=OLD_SPEAKER),
    "speech as events": Case(
        streamed_speech(stream_format="sse"), SPOKEN, streamed=True, model=SPEAKER
    ),
}


@pytest.mark.parametrize("version", ["v1", "2025-04-01-preview"])
@pytest.mark.parametrize("name", CASES)
async def test_a_client_sees_what_azure_answers(here: World, name: str, version: str) -> None:
    case = CASES[name]
    ours, theirs = await seen_by_both(here, case.shape, case.model, version)
    assert ours == theirs
    await assert_counted_as_billed(here, case)


@pytest.mark.parametrize("form", ["text", "srt", "vtt"])
async def test_a_transcript_that_is_no_json_is_not_taken_for_nothing(
    here: World, form: str
) -> None:
    shape = transcription(response_format=form)
    ours, theirs = await seen_by_both(here, shape, OLD_LISTENER, "v1")
    assert ours == theirs
    data = (await here.event()).data
    assert (data.api, data.provenance, data.tokens) == (HEARD, "unknown", None)


async def test_a_translation_whose_answer_states_nothing_is_unknown(here: World) -> None:
    ours, theirs = await seen_by_both(here, translation(), OLD_LISTENER, "v1")
    assert ours == theirs
    data = (await here.event()).data
    assert (data.api, data.provenance, data.model) == (TRANSLATED, "unknown", OLD_LISTENER)
