"""Reads the ledger on Redis."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Final, cast

from redis import Redis

from tollgate.ledger.cell_sums import CellSum, start_of, sums_of
from tollgate.ledger.cells import MoneyCell, UserCell
from tollgate.ledger.keys import NAMESPACE, TenantKeys, tenants_key
from tollgate.ledger.outcome import KeptAside
from tollgate.ledger.redis_rows import HashSums, read_rows, read_skus
from tollgate.ledger.rows import money_cells, user_cells
from tollgate.redis_errors import store_errors
from tollgate.usage.periods import Month, day_of_hour
from tollgate.usage.sku import Sku

# One read has few rows of a large tenant and many hashes of a small one.
_FIRST_HOURS: Final = 24
_FIRST_DAYS: Final = 1  # a day may have 10,000 users
_ROWS_A_READ: Final = 20_000
_HASHES_A_READ: Final = 240
_GROWTH: Final = 8  # of a read over the one before, whose largest hash tells what to expect

Hash = dict[bytes, bytes]


class RedisReader:
    """The read side of `RedisLedger`.

    Args:
        redis: A client that returns bytes.
        namespace: The ledger's.

    Every method raises `StoreUnavailable` when Redis does not answer; try again later.
    """

    def __init__(self, redis: Redis, namespace: str = NAMESPACE) -> None:
        self._redis = redis
        self._namespace = namespace

    def tenants(self) -> list[str]:
        """Every tenant that ever used anything, sorted."""
        with store_errors():
            names = cast("set[bytes]", self._redis.smembers(tenants_key(self._namespace)))
        return sorted(name.decode() for name in names)

    def money_cells(self, month: Month) -> Iterator[MoneyCell]:
        """The month's cells, sorted by tenant, hour, billing code and SKU."""
        for tenant in self.tenants():
            keys = self._keys(tenant)
            hours = self._hours(keys, month)
            for hour, counters, skus in self._hashes(keys, hours, keys.money, _FIRST_HOURS):
                yield from money_cells(tenant, hour, read_rows(counters, skus))

    def user_cells(self, month: Month) -> Iterator[UserCell]:
        """The same usage by user, sorted by tenant, day, billing code, user and SKU."""
        for tenant in self.tenants():
            keys = self._keys(tenant)
            days = self._days(keys, month)
            for day, counters, skus in self._hashes(keys, days, keys.users, _FIRST_DAYS):
                yield from user_cells(tenant, day, read_rows(counters, skus))

    def money_sums(self, tenant: str, month: Month, starts: Sequence[str]) -> Iterator[CellSum]:
        """A tenant's cells of the month added up; see `cell_sums`."""
        keys = self._keys(tenant)
        hashes = self._hashes(keys, self._hours(keys, month), keys.money, _FIRST_HOURS)
        return _added_up(tenant, hashes, starts)

    def user_sums(self, tenant: str, month: Month, starts: Sequence[str]) -> Iterator[CellSum]:
        """A tenant's cells of users of the month added up; see `cell_sums`."""
        keys = self._keys(tenant)
        hashes = self._hashes(keys, self._days(keys, month), keys.users, _FIRST_DAYS)
        return _added_up(tenant, hashes, starts)

    def kept_aside(self, tenant: str) -> KeptAside:
        """How many distinct events of a tenant were not counted, by reason."""
        keys = self._keys(tenant)
        with store_errors():
            return KeptAside(
                conflicts=self._redis.hlen(keys.kept_aside("conflict")),
                late=self._redis.hlen(keys.kept_aside("late")),
            )

    def _keys(self, tenant: str) -> TenantKeys:
        return TenantKeys(self._namespace, tenant)

    def _hours(self, keys: TenantKeys, month: Month) -> list[str]:
        with store_errors():
            found = self._redis.zrange(keys.hours, 0, -1)  # pyright: ignore[reportUnknownMemberType]  types of redis-py
        hours, prefix = cast("list[bytes]", found), f"{month}-".encode()
        return sorted(hour.decode() for hour in hours if hour.startswith(prefix))

    def _days(self, keys: TenantKeys, month: Month) -> list[str]:
        return sorted({day_of_hour(hour) for hour in self._hours(keys, month)})

    def _hashes(
        self, keys: TenantKeys, periods: Sequence[str], name: Callable[[str], str], at_once: int
    ) -> Iterator[tuple[str, Hash, Mapping[int, Sku]]]:
        """Each period's hash, with the SKUs that it speaks of."""
        begin = 0
        while some := periods[begin : begin + at_once]:
            *hashes, table = self._read([*map(name, some), keys.skus])  # a SKU stands there first
            skus = read_skus(table)
            for period, counters in zip(some, hashes, strict=True):
                yield period, counters, skus
            begin += at_once
            largest = max(map(len, hashes)) or 1
            at_once = max(1, min(_HASHES_A_READ, at_once * _GROWTH, _ROWS_A_READ // largest))

    def _read(self, names: Sequence[str]) -> list[Hash]:
        pipeline = self._redis.pipeline(transaction=False)  # pyright: ignore[reportUnknownMemberType]  same
        with store_errors(), pipeline:
            for name in names:
                pipeline.hgetall(name)
            answers: list[Any] = pipeline.execute()
        return answers


def _added_up(
    tenant: str,
    hashes: Iterable[tuple[str, Hash, Mapping[int, Sku]]],
    starts: Sequence[str],
) -> Iterator[CellSum]:
    for start, some in groupby(hashes, lambda each: start_of(each[0], starts)):
        sums, skus = HashSums(), dict[int, Sku]()
        for _, counters, known in some:
            sums.add(counters)
            skus = known  # no SKU ever goes
        yield from sums_of(tenant, start, sums.rows(skus))
