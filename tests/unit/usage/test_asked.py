from __future__ import annotations

from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollgate.usage.asked import units_asked
from tollgate.usage.event import UnitName
from tollgate.usage.tokens import Count


@pytest.mark.parametrize(
    ("members", "units"),
    [
        ({"size": "1792x1024", "quality": "hd", "n": 2}, {"images:1792x1024:hd": 2}),
        ({"prompt": "a bridge"}, {"images:1024x1024:standard": 1}),
        ({"size": None, "quality": 7, "n": True}, {"images:1024x1024:standard": 1}),
        ({"n": "3", "size": "256x256"}, {"images:256x256:standard": 3}),
        ({"n": -1, "size": "A:B c"}, {"images:a_b_c:standard": 1}),
    ],
)
def test_images_are_counted_by_size_and_quality(
    members: dict[str, Any], units: dict[str, int]
) -> None:
    assert units_asked("images.generations", members) == units


def test_the_images_of_the_answer_go_before_those_asked_for() -> None:
    assert units_asked("images.edits", {"n": 4}, images=3) == {"images:1024x1024:standard": 3}


def test_speech_is_counted_in_characters() -> None:
    assert units_asked("audio.speech", {"input": "Grüße"}) == {"characters": 5}
    assert units_asked("audio.speech", {"input": None}) == {}


def test_other_apis_are_not_billed_by_what_was_asked() -> None:
    assert units_asked("chat.completions", {"input": "x", "n": 2}) == {}


_ANYTHING = st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text())


@given(st.fixed_dictionaries({"size": _ANYTHING, "quality": _ANYTHING, "n": _ANYTHING}))
def test_whatever_was_asked_the_units_can_stand_in_an_event(members: dict[str, Any]) -> None:
    units = units_asked("images.generations", members)
    assert msgspec.convert(units, Annotated[dict[UnitName, Count], msgspec.Meta(min_length=1)])
