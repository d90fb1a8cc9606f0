from __future__ import annotations

import pytest

from tollgate.usage.provider_answers import (
    ImagesAnswer,
    ProviderAnswer,
    TranscriptAnswer,
    read_answer,
)


@pytest.mark.parametrize(
    ("api", "kind"),
    [
        ("chat.completions", ProviderAnswer),
        ("embeddings", ProviderAnswer),
        ("images.edits", ImagesAnswer),
        ("audio.translations", TranscriptAnswer),
        ("an api to come", ProviderAnswer),
    ],
)
def test_an_answer_is_read_as_its_api_writes_it(api: str, kind: type[ProviderAnswer]) -> None:
    body = b'{"id": "a", "data": [{"embedding": [0.1]}], "duration": 1}'
    answer = read_answer(body, api)
    assert isinstance(answer, ProviderAnswer)
    assert type(answer) is kind
    assert answer.id == "a"
