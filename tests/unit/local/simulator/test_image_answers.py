import json
from base64 import b64decode

from openai.types import ImageEditCompletedEvent, ImageGenPartialImageEvent, ImagesResponse

from tollgate.local.simulator.envelopes import Envelope
from tollgate.local.simulator.image_answers import PICTURE_BASE64, ImageAnswer
from tollgate.local.simulator.media_bodies import ImageBody
from tollgate.local.simulator.multipart import UploadedFile


def test_picture_is_one() -> None:
    assert b64decode(PICTURE_BASE64).startswith(b"\x89PNG")


def test_gpt_image_states_its_tokens(envelope: Envelope) -> None:
    body = ImageBody("a cat on a mat", n=2, quality="low", image=[UploadedFile("a", 1)])
    answer = ImagesResponse.model_validate(ImageAnswer(body, envelope, "gpt_image").whole())
    assert answer.usage is not None
    assert answer.usage.input_tokens_details.model_dump() == {"image_tokens": 194, "text_tokens": 4}
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (198, 544)
    assert answer.usage.total_tokens == 742
    assert [image.b64_json for image in answer.data or ()] == [PICTURE_BASE64] * 2


def test_size_decides_the_tokens(envelope: Envelope) -> None:
    body = ImageBody("a", size="1536x1024", quality="high")
    assert ImageAnswer(body, envelope, "gpt_image").usage()["output_tokens"] == 6208


def test_dall_e_states_none(envelope: Envelope) -> None:
    answer = ImageAnswer(ImageBody("a cat", size="1792x1024"), envelope, "dall_e")
    shown = ImagesResponse.model_validate(answer.whole())
    assert shown.data is not None
    assert (shown.usage, len(shown.data)) == (None, 1)
    assert shown.data[0].url
    assert answer.billed() == {
        "type": "images",
        "images": 1,
        "size": "1792x1024",
        "quality": "standard",
    }


def test_dall_e_may_send_the_picture_itself(envelope: Envelope) -> None:
    body = ImageBody("a cat", response_format="b64_json")
    shown = ImagesResponse.model_validate(ImageAnswer(body, envelope, "dall_e").whole())
    assert shown.data is not None
    assert (shown.data[0].url, shown.data[0].b64_json) == (None, PICTURE_BASE64)


def test_stream_ends_with_usage(envelope: Envelope) -> None:
    body = ImageBody("a cat", stream=True, partial_images=2)
    answer = ImageAnswer(body, envelope, "gpt_image")
    *partial, last = [frame.data for frame in answer.frames("images.edits")]
    assert [data.split(b"\n")[0] for data in partial] == [b"event: image_edit.partial_image"] * 2
    completed = ImageEditCompletedEvent.model_validate_json(last.split(b"data: ")[1])
    assert completed.usage.output_tokens == 1056 + 200


def test_partial_pictures_are_numbered(envelope: Envelope) -> None:
    body = ImageBody("a cat", stream=True, partial_images=1)
    frames = ImageAnswer(body, envelope, "gpt_image").frames("images.generations")
    first = ImageGenPartialImageEvent.model_validate_json(next(frames).data.split(b"data: ")[1])
    assert first.partial_image_index == 0


def test_usage_may_be_withheld(envelope: Envelope) -> None:
    answer = ImageAnswer(ImageBody("a", stream=True), envelope, "gpt_image", states_usage=False)
    [frame] = answer.frames("images.generations")
    assert "usage" not in json.loads(frame.data.split(b"data: ")[1])
