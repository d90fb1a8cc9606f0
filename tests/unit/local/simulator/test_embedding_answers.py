from base64 import b64decode
from math import hypot
from struct import unpack
from typing import Any, cast

import pytest

from tollgate.local.simulator.embedding_answers import embedding_answer
from tollgate.local.simulator.prompts import Prompt


def _vectors(*texts: str, as_base64: bool = False) -> list[Any]:
    prompts = [Prompt(text, 2) for text in texts]
    answer = embedding_answer(prompts, "m", dimensions=8, as_base64=as_base64)
    return [item["embedding"] for item in cast("list[dict[str, Any]]", answer["data"])]


def test_vectors_have_length_one_and_differ_by_text() -> None:
    first, second = _vectors("a", "b")
    assert hypot(*first) == pytest.approx(1)
    assert first != second
    assert _vectors("a") == [first]


def test_base64_holds_the_same_floats() -> None:
    [packed], [plain] = _vectors("a", as_base64=True), _vectors("a")
    floats = unpack("<8f", b64decode(packed))
    assert max(abs(one - other) for one, other in zip(floats, plain, strict=True)) < 1e-6


def test_usage_adds_the_texts_up() -> None:
    answer = embedding_answer([Prompt("a", 2), Prompt("b", 3)], "m", dimensions=1, as_base64=False)
    assert answer["usage"] == {"prompt_tokens": 5, "total_tokens": 5}
