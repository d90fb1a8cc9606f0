"""Fills a Redis with remembered ids: the ledger's own layout, by pipelined commands."""

from __future__ import annotations

import os
from datetime import timedelta
from itertools import pairwise
from typing import Any, Final

import numpy as np
from bench.ledger_events import TENANT
from builders import NOON
from redis import Redis

from tollgate.ledger.keys import NAMESPACE, TenantKeys
from tollgate.usage.periods import day_of

_RECORD: Final = np.dtype(
    [("kind", "S1"), ("hash", "<u4"), ("key", "V12"), ("hour", "S1"), ("body", "V8")]
)
_A_BUCKET: Final = 20
_KEPT_S: Final = 8 * 24 * 3600


def fill(redis: Redis, ids: int, days: int) -> None:
    """Remember so many ids, spread over the day of noon and those before it."""
    keys = TenantKeys(NAMESPACE, TENANT)
    for number in range(days):
        _fill_day(redis, keys, day_of(NOON - timedelta(days=number)), ids // days)


def _fill_day(redis: Any, keys: TenantKeys, day: str, count: int) -> None:
    """Each bucket in two commands, so that it has grown as one does that a ledger appends to."""
    until_s = NOON.timestamp() + _KEPT_S
    with redis.pipeline(transaction=False) as pipe:
        pipe.zadd(keys.hours, {f"{day}T{hour:02d}": until_s for hour in range(24)})
        pipe.set(f"{keys.prefix}ids:{day}", f"{count} {until_s + 90_000:.3f}", px=_KEPT_S * 1000)
        for index, text in enumerate(_buckets(count)):
            half = len(text) // 2 // _RECORD.itemsize * _RECORD.itemsize
            pipe.set(f"{keys.prefix}ids:{day}:{index}", text[:half], px=_KEPT_S * 1000)
            pipe.append(f"{keys.prefix}ids:{day}:{index}", text[half:])
        pipe.execute()


def _buckets(count: int) -> list[bytes]:
    """Random records, each in the bucket that linear hashing puts it into."""
    records = np.frombuffer(os.urandom(_RECORD.itemsize * count), _RECORD).copy()
    records["kind"] = b"e"
    records["hour"] = np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWX", "S1")[np.arange(count) % 24]
    buckets = count // _A_BUCKET + 1
    size = 1 << (buckets - 1).bit_length()
    places = records["hash"] % size
    places = np.where(places >= buckets, places - size // 2, places)
    order = np.argsort(places, kind="stable")
    ends = np.searchsorted(places[order], np.arange(buckets + 1))
    packed = records[order].tobytes()
    return [packed[low:high] for low, high in pairwise((ends * _RECORD.itemsize).tolist())]
