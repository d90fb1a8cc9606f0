"""Ids as an hour of the ledger remembers them, packed in buckets: the same as apply/ids.lua."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

_BUCKET: Final = 20  # records on average where the next bucket begins to be filled


def record(key: bytes, body: bytes, *, completes: bool) -> bytes:
    """An id: 25 bytes."""
    return (b"c" if completes else b"e") + key + body


def buckets(records: Iterable[bytes]) -> dict[int, bytes]:
    """All ids of an hour by bucket, as the script would have packed them; none is empty."""
    known = list(records)
    count = len(known) // _BUCKET + 1
    size = 1 << (count - 1).bit_length()
    packed: dict[int, list[bytes]] = {}
    for each in known:
        bucket = int.from_bytes(each[1:5], "little") % (1 << 30) % size
        packed.setdefault(bucket if bucket < count else bucket - size // 2, []).append(each)
    return {bucket: b"".join(some) for bucket, some in packed.items()}
