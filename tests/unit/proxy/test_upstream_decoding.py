from __future__ import annotations

import gzip
import zlib

import pytest

from tollgate.proxy.upstream_decoding import Inflation, decoding_of

TEXT = b"".join(b"line %d\n" % number for number in range(2000))
BARE = zlib.compress(TEXT)[2:-4]

ENCODED = {
    "gzip": ("gzip", gzip.compress(TEXT)),
    "old name": ("X-GZIP ", gzip.compress(TEXT)),
    "two members": ("gzip", gzip.compress(TEXT[:99]) + gzip.compress(TEXT[99:])),
    "zlib": ("deflate", zlib.compress(TEXT)),
    "bare": ("deflate", BARE),
}


def decoding(name: str) -> Inflation:
    found = decoding_of(name)
    assert found is not None
    return found


def decoded(inflation: Inflation, *parts: bytes) -> list[bytes]:
    pieces: list[bytes] = []
    for part in parts:
        inflation.feed(part)
        while piece := inflation.next_piece():
            pieces.append(piece)
    inflation.check_end()
    return pieces


@pytest.mark.parametrize(("name", "encoded"), ENCODED.values(), ids=ENCODED)
@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_however_it_is_cut_it_is_decoded(name: str, encoded: bytes, size: int) -> None:
    parts = [encoded[at : at + size] for at in range(0, len(encoded), size)]
    assert b"".join(decoded(decoding(name), *parts)) == TEXT


@pytest.mark.parametrize("name", ["", "identity", "Identity"])
def test_plain_bytes_are_left_alone(name: str) -> None:
    assert decoding_of(name) is None


@pytest.mark.parametrize("name", ["br", "zstd", "gzip, gzip"])
def test_what_was_not_asked_for_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not asked for"):
        decoding_of(name)


BOMB = bytes(20_000_000)


@pytest.mark.parametrize(
    ("name", "bomb"),
    [("gzip", gzip.compress(BOMB)), ("deflate", zlib.compress(BOMB))],
    ids=["gzip", "deflate"],
)
def test_a_bomb_is_decoded_piece_by_piece(name: str, bomb: bytes) -> None:
    pieces = decoded(decoding(name), bomb)
    assert max(map(len, pieces)) == 256 * 1024
    assert sum(map(len, pieces)) == 20_000_000


@pytest.mark.parametrize(("name", "encoded"), ENCODED.values(), ids=ENCODED)
def test_a_cut_is_seen(name: str, encoded: bytes) -> None:
    with pytest.raises(ValueError, match="cut"):
        decoded(decoding(name), encoded[:-1])


def test_nothing_at_all_is_an_empty_body() -> None:
    assert decoded(decoding("gzip"), b"") == []


@pytest.mark.parametrize("name", ["gzip", "deflate"])
def test_bytes_that_are_not_encoded_so_are_seen(name: str) -> None:
    with pytest.raises(ValueError, match="not so encoded"):
        decoded(decoding(name), b"hello")


def test_bytes_after_the_encoded_ones_are_seen() -> None:
    with pytest.raises(ValueError, match="after the encoded"):
        decoded(decoding("deflate"), zlib.compress(TEXT) + b"x")
