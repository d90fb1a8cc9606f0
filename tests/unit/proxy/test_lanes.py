from __future__ import annotations

import pytest

from tollgate.proxy.lanes import Lane, parse_lane
from tollgate.proxy.refusals import Refusal


@pytest.mark.parametrize("text", ["low", "LOW", " Low "])
def test_x_priority_lowers_a_request(text: str) -> None:
    assert parse_lane(text, None, None) == "low"
    assert parse_lane(text, None, "high") == "low"


def test_a_request_that_says_nothing_is_high() -> None:
    assert parse_lane(None, None, None) == parse_lane("high", None, None) == "high"


@pytest.mark.parametrize(("x_priority", "priority"), [("high", None), (None, "u=0"), (None, None)])
def test_a_client_cannot_raise_itself_above_its_tenant(
    x_priority: str | None, priority: str | None
) -> None:
    assert parse_lane(x_priority, priority, "low") == "low"


@pytest.mark.parametrize(
    ("text", "lane"),
    [
        ("u=0", "high"),
        ("u=3", "high"),
        ("u=4", "low"),
        ("u=7, i", "low"),
        ("i, u=5", "low"),
        ("i,\tu=5;q=1", "low"),
        ("u=5, u=1", "high"),
        ("0", "high"),
        ("3", "high"),
        (" 4 ", "low"),
        ("100", "low"),
    ],
)
def test_a_priority_of_rfc_9218_or_a_number_names_a_lane(text: str, lane: Lane) -> None:
    assert parse_lane(None, text, None) == lane


@pytest.mark.parametrize("text", ["", "i", "u", "u=8", "u=-1", "u=55", "mu=5", "-4", "4.5", "low"])
def test_what_is_no_priority_counts_as_absent(text: str) -> None:
    assert parse_lane(None, text, None) == "high"


def test_x_priority_counts_before_priority() -> None:
    assert parse_lane("high", "u=7", None) == "high"


@pytest.mark.parametrize("text", ["", "medium", "4", "high, low"])
def test_an_unknown_x_priority_is_refused(text: str) -> None:
    with pytest.raises(Refusal) as refused:
        parse_lane(text, None, "low")
    assert (refused.value.status, refused.value.code) == (400, "invalid_priority")
