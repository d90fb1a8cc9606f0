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

from tollgate.ledger.keys import NAMESPACE, SPAN_H, TenantKeys, span_of
from tollgate.usage.periods import hour_of

_RECORD: Final = np.dtype(
    [("kind", "S1"), ("hash", "<u4"), ("key", "V12"), ("hour", "S1"), ("body", "V8")]
)
_LETTERS: Final = b"ABCDEFGHIJKLMNOPQRSTUVWX"
_A_BUCKET: Final = 6
_KEPT_S: Final = 8 * 24 * 3600


def fill(redis: Redis, ids: int, days: int) -> None:
    """Remember so many ids, spread over the day of noon and those before it."""
    keys = TenantKeys(NAMESPACE, TENANT)
    hours = [hour_of(NOON - timedelta(hours=number)) for number in range(24 * days)]
    redis.zadd(keys.hours, dict.fromkeys(hours, NOON.timestamp() + _KEPT_S))
    spans = sorted({span_of(hour) for hour in hours})
    for span in spans:
        _fill_span(redis, f"{keys.prefix}ids:{span}", int(span[-2:]), ids // len(spans))


def _fill_span(redis: Any, name: str, first: int, count: int) -> None:
    buckets = _buckets(first, count)
    with redis.pipeline(transaction=False) as pipe:
        pipe.hset(name, "n", count)
        for at in range(0, len(buckets), 500):
            some = enumerate(buckets[at : at + 500], start=at)
            pipe.hset(name, mapping={str(index): text for index, text in some if text})
        pipe.expire(name, _KEPT_S)
        pipe.execute()


def _buckets(first: int, count: int) -> list[bytes]:
    """Random records, each in the bucket that linear hashing puts it into."""
    records = np.frombuffer(os.urandom(_RECORD.itemsize * count), _RECORD).copy()
    records["kind"] = b"e"
    records["hour"] = np.frombuffer(_LETTERS, "S1")[first + np.arange(count) % SPAN_H]
    buckets = count // _A_BUCKET + 1
    size = 1 << (buckets - 1).bit_length()
    places = records["hash"] % size
    places = np.where(places >= buckets, places - size // 2, places)
    order = np.argsort(places, kind="stable")
    ends = np.searchsorted(places[order], np.arange(buckets + 1))
    packed = records[order].tobytes()
    return [packed[low:high] for low, high in pairwise((ends * _RECORD.itemsize).tolist())]
