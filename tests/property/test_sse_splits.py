"""However the network cuts a stream, the frames and the usage are the same."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollgate.usage.extraction import Measurement, StreamMeter
from tollgate.usage.sse import Frame, SseReader

RECORDED = sorted((Path(__file__).parents[1] / "examples" / "streams").glob("*.sse"))


def read(pieces: list[bytes]) -> list[Frame]:
    reader = SseReader()
    return [frame for piece in pieces for frame in reader.feed(piece)] + reader.end()


def measured(api: str, frames: list[Frame]) -> Measurement:
    meter = StreamMeter(api)
    for frame in frames:
        meter.see(frame)
    return meter.measurement


def cut(stream: bytes, places: list[int]) -> list[bytes]:
    return [stream[low:high] for low, high in pairwise([0, *sorted(places), len(stream)])]


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda path: path.stem)
def test_every_cut_in_two_of_a_recorded_stream_gives_the_same_frames(recorded: Path) -> None:
    stream = recorded.read_bytes()
    whole = read([stream])
    for place in range(len(stream) + 1):
        assert read(cut(stream, [place])) == whole


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda path: path.stem)
@given(data=st.data())
def test_any_cuts_of_a_recorded_stream_give_the_same_usage(
    recorded: Path, data: st.DataObject
) -> None:
    stream = recorded.read_bytes()
    api = "responses" if "responses" in recorded.stem else "chat.completions"
    places = data.draw(st.lists(st.integers(0, len(stream))))
    frames = read(cut(stream, places))
    assert frames == read([stream])
    assert measured(api, frames) == measured(api, read([stream]))


@given(st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b"data: x", b":", b"event:e", b"\xc3"])))
def test_every_byte_on_its_own_gives_the_same_frames(parts: list[bytes]) -> None:
    stream = b"".join(parts)
    frames = read([bytes([byte]) for byte in stream])
    assert frames == read([stream])
    assert b"".join(frame.raw for frame in frames) == stream
