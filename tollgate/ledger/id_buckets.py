"""Ids as the ledger remembers them, packed in the buckets of a span: the same as apply/ids.lua."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tollgate.usage.periods import day_of_hour

RECORD_BYTES: Final = 26
IDS_COUNT: Final = "n"  # beside the buckets: how many records they have
_HOUR_AT: Final = 17
_BUCKET: Final = 6  # records, on average, when the next bucket begins to be filled


def record(key: bytes, body: bytes, hour: str, *, completes: bool) -> bytes:
    """An id that an hour, `YYYY-MM-DDTHH`, remembers."""
    letter = bytes([ord("A") + int(hour[-2:])])
    return (b"c" if completes else b"e") + key + letter + body


def hours_in(span: str, records: Iterable[bytes]) -> list[str]:
    """The hours of a span, `YYYY-MM-DDTHH`, that remember some of the records."""
    letters = {each[_HOUR_AT] for each in records}
    return [f"{day_of_hour(span)}T{letter - ord('A'):02d}" for letter in sorted(letters)]


def buckets(records: Iterable[bytes]) -> dict[int, bytes]:
    """All ids of a span by bucket, as the script would have packed them; none is empty."""
    known = list(records)
    count = len(known) // _BUCKET + 1
    size = 1 << (count - 1).bit_length()
    packed: dict[int, list[bytes]] = {}
    for each in known:
        bucket = int.from_bytes(each[1:5], "little") % size
        packed.setdefault(bucket if bucket < count else bucket - size // 2, []).append(each)
    return {bucket: b"".join(some) for bucket, some in packed.items()}
