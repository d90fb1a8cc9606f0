"""Capture files, whole and broken."""

from __future__ import annotations

import io
import random

import pytest
from builders import raw_event
from captures import capture_bytes

from tollgate.errors import DamagedFile
from tollgate.ledger.capture import Captured, bodies, read_capture

BODIES = [raw_event(f"req-{number}") for number in range(9)]


def read(content: bytes) -> list[Captured]:
    return list(read_capture(io.BytesIO(content), "a.avro"))


@pytest.mark.parametrize("codec", ["null", "deflate"])
def test_bodies_come_in_order_with_their_numbers(codec: str) -> None:
    expected = [Captured(number, body) for number, body in enumerate(BODIES, start=70)]
    assert read(capture_bytes(BODIES, 70, codec=codec)) == expected


def test_the_file_of_an_empty_window_has_no_events() -> None:
    assert read(capture_bytes([])) == []


def test_a_file_cut_anywhere_is_said_or_ends_after_a_whole_block() -> None:
    whole = capture_bytes(BODIES, block=2_000)
    expected, silent = read(whole), 0
    for cut in range(len(whole)):
        events: list[Captured] = []
        try:
            for event in read_capture(io.BytesIO(whole[:cut]), "a.avro"):
                events.append(event)  # noqa: PERF402  what came before the error counts
            silent += 1
        except DamagedFile as error:
            assert str(error).startswith("a.avro: ")  # noqa: PT017  either outcome is good
        assert events == expected[: len(events)]
    assert silent == 1 + (len(BODIES) + 2) // 3 - 1  # the header, and each block but the last


def test_the_broken_block_is_named() -> None:
    whole = capture_bytes(BODIES, block=2_000)
    with pytest.raises(DamagedFile, match=r"a\.avro: block 3, from byte \d+, cannot be read"):
        read(whole[:-5])


@pytest.mark.parametrize("content", [b"", b"Obj", b"Obj\x01", b"{}"])
def test_what_is_no_avro_is_said(content: bytes) -> None:
    with pytest.raises(DamagedFile, match=r"a\.avro: its header cannot be read"):
        read(content)


def test_a_changed_byte_raises_nothing_else() -> None:
    whole, chance = capture_bytes(BODIES), random.Random(4)  # noqa: S311  repeatable
    for _ in range(500):
        changed = bytearray(whole)
        changed[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
        try:
            read(bytes(changed))
        except DamagedFile:
            continue


def test_a_body_may_hold_several_events() -> None:
    first, second = BODIES[:2]
    assert bodies(Captured(0, b" [" + first + b"," + second + b"]")) == [first, second]
    assert bodies(Captured(0, b"[broken")) == [b"[broken"]
    assert bodies(Captured(0, None)) == [b""]
