import json

import pytest

from tollgate.local.simulator.bodies import decode_body
from tollgate.local.simulator.media_bodies import ImageBody, SpeechBody, TranscriptionBody
from tollgate.local.simulator.refusals import Refusal
from tollgate.local.simulator.routes import Operation

TYPE = "multipart/form-data; boundary=b1"


def _form(*parts: tuple[str, str]) -> bytes:
    texts = [
        f"--b1\r\nContent-Disposition: form-data; {disposition}\r\n\r\n{value}\r\n"
        for disposition, value in parts
    ]
    return ("".join(texts) + "--b1--\r\n").encode()


def test_texts_of_a_form_become_numbers_and_truths() -> None:
    content = _form(
        ('name="image"; filename="a.png"', "xx"),
        ('name="prompt"', "a cat"),
        ('name="n"', "2"),
        ('name="stream"', "true"),
    )
    body = decode_body("images.edits", content, TYPE)
    assert isinstance(body, ImageBody)
    assert (body.n, body.stream, len(body.image)) == (2, True, 1)


def test_sound_comes_as_a_file() -> None:
    content = _form(('name="file"; filename="a.mp3"', "xx"), ('name="model"', "whisper"))
    body = decode_body("audio.transcriptions", content, TYPE)
    assert isinstance(body, TranscriptionBody)
    assert (body.model, body.response_format, body.file[0].size_bytes) == ("whisper", "json", 2)


def test_speech_comes_as_json() -> None:
    body = decode_body("audio.speech", b'{"input":"hello","voice":{"id":"v"}}')
    assert isinstance(body, SpeechBody)


@pytest.mark.parametrize(
    ("operation", "parts", "says"),
    [
        ("audio.transcriptions", [('name="model"', "whisper")], "'file'"),
        ("audio.translations", [('name="file"', "not a file")], "'file'"),
        ("images.edits", [('name="prompt"', "a cat")], "'image'"),
        ("images.edits", [('name="image"; filename="a"', "")], "`prompt`"),
        (
            "audio.transcriptions",
            [('name="file"; filename="a"', ""), ('name="response_format"', "xml")],
            "$.response_format",
        ),
        (
            "images.edits",
            [('name="image"; filename="a"', ""), ('name="prompt"', "a"), ('name="n"', "11")],
            "$.n",
        ),
    ],
)
def test_incomplete_form_is_refused_with_a_reason(
    operation: Operation, parts: list[tuple[str, str]], says: str
) -> None:
    with pytest.raises(Refusal) as refused:
        decode_body(operation, _form(*parts), TYPE)
    assert refused.value.status == 400
    assert says in json.loads(refused.value.body)["error"]["message"]


@pytest.mark.parametrize(
    ("operation", "content", "says"),
    [
        ("images.generations", b"{}", "`prompt`"),
        ("images.generations", b'{"prompt":""}', "$.prompt"),
        ("images.generations", b'{"prompt":"a","n":0}', "$.n"),
        ("images.generations", b'{"prompt":"a","n":11}', "$.n"),
        ("audio.speech", b'{"input":"a"}', "`voice`"),
        ("audio.speech", b'{"input":"a","voice":"b","response_format":"mid"}', "response_format"),
    ],
)
def test_incomplete_json_is_refused_with_a_reason(
    operation: Operation, content: bytes, says: str
) -> None:
    with pytest.raises(Refusal) as refused:
        decode_body(operation, content)
    assert says in json.loads(refused.value.body)["error"]["message"]
