from __future__ import annotations

import pytest

from tollgate.usage.sse import SseReader


def data_of(stream: bytes) -> list[bytes]:
    reader = SseReader()
    return [frame.data for frame in (*reader.feed(stream), *reader.end())]


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
def test_every_line_end_ends_a_line(line_end: bytes) -> None:
    stream = line_end.join([b"data: a", b"", b"event: x", b"data: b", b"", b""])
    assert data_of(stream) == [b"a", b"b"]


def test_line_ends_may_change_within_a_stream() -> None:
    reader = SseReader()
    pieces = (b"data: a\n\ndata: b\n", b"\r\ndata: c\r", b"\ndata: d\n\n\ndata: e\n\n")
    frames = [frame for piece in pieces for frame in reader.feed(piece)]
    assert [frame.data for frame in frames] == [b"a", b"b", b"c\nd", b"e"]


def test_data_lines_are_joined_and_one_space_is_dropped() -> None:
    assert data_of(b"data:  a\ndata:b\n\n") == [b" a\nb"]


def test_comments_and_unknown_fields_are_no_data() -> None:
    assert data_of(b": ping\n\nid: 7\nretry: 1\n\n") == [b"", b""]


def test_a_byte_order_mark_is_skipped() -> None:
    assert data_of(b"\xef\xbb\xbfdata: a\n\n") == [b"a"]


def test_what_is_left_at_the_end_is_a_frame() -> None:
    assert data_of(b"data: a\n\ndata: b") == [b"a", b"b"]


def test_the_event_name_is_kept() -> None:
    assert SseReader().feed(b"event: response.completed\ndata: {}\n\n")[0].event == (
        "response.completed"
    )


def test_a_frame_without_end_is_given_up_and_passed_on() -> None:
    reader = SseReader(max_frame_bytes=10)
    frames = reader.feed(b"data: 0123456789")
    assert [(frame.raw, frame.data) for frame in frames] == [(b"data: 0123456789", b"")]
    assert [frame.data for frame in reader.feed(b"\n\ndata: b\n\n")] == [b"", b"b"]
