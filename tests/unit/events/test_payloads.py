from __future__ import annotations

from codecs import BOM_UTF8

import pytest
from builders import raw_event

from tollgate.events.payloads import split_lines, split_payload


def test_an_object_is_one_event() -> None:
    assert split_payload(b' {"id": "1"}') == [b' {"id": "1"}']


def test_an_array_is_split_and_each_event_keeps_its_bytes() -> None:
    assert split_payload(b' [{"a": 1.0}, {"b":  "\xc3\xa9"}]') == [
        b'{"a": 1.0}',
        b'{"b":  "\xc3\xa9"}',
    ]
    assert split_payload(b"[]") == []


DEEP = b"[" * 100_000


@pytest.mark.parametrize("payload", [b"", b"rubbish", b'[{"a": 1}', b"[{} {}]", b"\xff", DEEP])
def test_what_is_not_json_comes_back_whole(payload: bytes) -> None:
    assert split_payload(payload) == [payload]


def test_json_lines_are_split_at_line_ends_of_any_kind_and_empty_ones_left_out() -> None:
    first, second = raw_event("req-1"), raw_event("req-2")
    assert split_lines(first + b"\r\n\n  \n" + second + b"\n") == [first, second]


def test_a_bad_line_is_a_line() -> None:
    assert split_lines(b'{"id":"1"}\nrubbish\n{"id"') == [b'{"id":"1"}', b"rubbish", b'{"id"']


def test_a_byte_order_mark_is_no_part_of_the_first_event() -> None:
    assert split_lines(BOM_UTF8 + b'{"id":"1"}\n{"id":"2"}') == [b'{"id":"1"}', b'{"id":"2"}']


def test_a_json_array_or_object_may_stand_on_many_lines() -> None:
    assert split_lines(b'\n[\n{"id":"1"},\n{"id":"2"}\n]\n') == [b'{"id":"1"}', b'{"id":"2"}']
    assert split_lines(b'{\n "id": "1"\n}\n') == [b'{\n "id": "1"\n}\n']


def test_what_is_nested_without_end_is_a_line_or_a_file_like_any_other() -> None:
    assert split_lines(DEEP) == [DEEP]
    assert split_lines(b'{"a":' + DEEP) == [b'{"a":' + DEEP]


def test_nothing_is_no_event() -> None:
    assert split_lines(b"") == []
    assert split_lines(b"\n") == []
