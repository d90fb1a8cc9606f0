import msgspec
import pytest

from tollgate.local.simulator.bodies import ResponseBody
from tollgate.local.simulator.identifiers import Identifiers
from tollgate.local.simulator.input_items import input_items, listed
from tollgate.local.simulator.json_types import JsonObject
from tollgate.local.simulator.refusals import Refusal

IDS = Identifiers("weu-1/1")
ITEMS: list[JsonObject] = [{"id": str(number)} for number in range(3)]


def test_text_becomes_a_message() -> None:
    [item] = input_items(ResponseBody("hello"), IDS)
    assert (item["type"], item["role"]) == ("message", "user")
    assert item["content"] == [{"type": "input_text", "text": "hello"}]


def test_items_keep_what_they_say() -> None:
    sent = (
        b'{"input":[{"role":"system","content":"a"},{"type":"function_call_output","output":"b"}]}'
    )
    first, second = input_items(msgspec.json.decode(sent, type=ResponseBody), IDS)
    assert first["role"] == "system"
    assert (second["type"], second["output"]) == ("function_call_output", "b")
    assert first["id"] != second["id"]


@pytest.mark.parametrize(
    ("query", "ids", "more"),
    [
        ({}, ["2", "1", "0"], False),
        ({"order": "asc"}, ["0", "1", "2"], False),
        ({"limit": "2"}, ["2", "1"], True),
        ({"after": "1"}, ["0"], False),
        ({"after": "0"}, [], False),
    ],
)
def test_list_comes_in_pages(query: dict[str, str], ids: list[str], *, more: bool) -> None:
    page = listed(ITEMS, query)
    assert page["data"] == [{"id": one} for one in ids]
    assert page["has_more"] is more
    assert page["last_id"] == (ids[-1] if ids else None)


@pytest.mark.parametrize("limit", ["0", "101", "-1", "many"])
def test_limit_has_bounds(limit: str) -> None:
    with pytest.raises(Refusal):
        listed(ITEMS, {"limit": limit})
