from hypothesis import given
from hypothesis.strategies import binary, integers, lists

from tollgate.local.simulator.frames import Splitter, data_frame, event_frame


def test_frames_end_with_a_blank_line() -> None:
    assert data_frame({"a": 1}, 0).data == b'data: {"a":1}\n\n'
    assert event_frame("x", {"a": 1}, 0).data == b'event: x\ndata: {"a":1}\n\n'


@given(lists(binary(max_size=50), max_size=8), integers(1, 9), integers())
def test_pieces_are_small_and_add_up(chunks: list[bytes], largest_bytes: int, seed: int) -> None:
    splitter = Splitter(seed, largest_bytes)
    pieces = [piece for chunk in chunks for piece in splitter.pieces(chunk)] + splitter.rest()
    assert b"".join(pieces) == b"".join(chunks)
    assert all(1 <= len(piece) <= largest_bytes for piece in pieces)
