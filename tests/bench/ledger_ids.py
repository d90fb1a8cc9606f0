"""Fills a Redis with remembered ids: the ledger's own layout, by pipelined commands."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any, Final

import numpy as np
from bench.ledger_events import TENANT
from builders import NOON
from redis import Redis

from tollgate.ledger.keys import NAMESPACE, TenantKeys
from tollgate.usage.periods import hour_of

_RECORD: Final = np.dtype([("kind", "S1"), ("hash", "<u4"), ("rest", "V20")])  # 25 bytes
_A_BUCKET: Final = 20
_KEPT_S: Final = 8 * 24 * 3600


def fill(redis: Redis, ids: int, hours: int) -> None:
    """Remember so many ids, spread over the hour at noon and those before it."""
    keys = TenantKeys(NAMESPACE, TENANT)
    for number in range(hours):
        _fill_hour(redis, keys, hour_of(NOON - timedelta(hours=number)), ids // hours)


def _fill_hour(redis: Any, keys: TenantKeys, hour: str, count: int) -> None:
    """Each bucket in two commands, so that it has grown as one does that a ledger appends to."""
    until_s = NOON.timestamp() + _KEPT_S
    buckets = _buckets(count)
    with redis.pipeline(transaction=False) as pipe:
        pipe.zadd(keys.hours, {hour: until_s})
        pipe.set(f"{keys.prefix}ids:{hour}", f"{count} {until_s + 40_000:.3f}", px=_KEPT_S * 1000)
        for index, text in enumerate(buckets):
            half = len(text) // 50 * 25
            pipe.set(f"{keys.prefix}ids:{hour}:{index}", text[:half], px=_KEPT_S * 1000)
            pipe.append(f"{keys.prefix}ids:{hour}:{index}", text[half:])
        pipe.execute()


def _buckets(count: int) -> list[bytes]:
    """Random records, each in the bucket that linear hashing puts it into."""
    records = np.frombuffer(os.urandom(25 * count), _RECORD).copy()
    records["kind"] = b"e"
    buckets = count // _A_BUCKET + 1
    size = 1 << (buckets - 1).bit_length()
    places = records["hash"] % size
    places = np.where(places >= buckets, places - size // 2, places)
    order = np.argsort(places, kind="stable")
    ends = np.searchsorted(places[order], np.arange(buckets + 1))
    packed = records[order].tobytes()
    return [packed[25 * low : 25 * high] for low, high in zip(ends[:-1], ends[1:], strict=True)]
