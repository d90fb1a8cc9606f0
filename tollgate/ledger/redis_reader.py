"""Reads the ledger on Redis."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, cast

from redis import Redis

from tollgate.ledger.cells import MoneyCell, Usage, UserCell
from tollgate.ledger.keys import NAMESPACE, TenantKeys, tenants_key
from tollgate.ledger.outcome import KeptAside
from tollgate.ledger.redis_rows import read_rows, read_skus
from tollgate.ledger.rows import Row, money_cells, user_cells
from tollgate.redis_errors import store_errors
from tollgate.usage.periods import Month

_HOURS_A_READ: Final = 24
_DAYS_A_READ: Final = 1  # a day may have 10,000 users


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
            for hour, rows in self._hashes(keys, hours, keys.money, _HOURS_A_READ):
                yield from money_cells(tenant, hour, rows)

    def user_cells(self, month: Month) -> Iterator[UserCell]:
        """The same usage by user, sorted by tenant, day, billing code, user and SKU."""
        for tenant in self.tenants():
            keys = self._keys(tenant)
            days = sorted({hour.partition("T")[0] for hour in self._hours(keys, month)})
            for day, rows in self._hashes(keys, days, keys.users, _DAYS_A_READ):
                yield from user_cells(tenant, day, rows)

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
        hours = cast("list[bytes]", found)
        return sorted(text for hour in hours if (text := hour.decode()).startswith(f"{month}-"))

    def _hashes(
        self, keys: TenantKeys, periods: Sequence[str], name: Callable[[str], str], at_once: int
    ) -> Iterator[tuple[str, dict[Row, Usage]]]:
        for start in range(0, len(periods), at_once):
            some = periods[start : start + at_once]
            *tables, table = self._read([*map(name, some), keys.skus])  # a SKU stands there first
            skus = read_skus(table)
            for period, counters in zip(some, tables, strict=True):
                yield period, read_rows(counters, skus)

    def _read(self, names: Sequence[str]) -> list[dict[bytes, bytes]]:
        pipeline = self._redis.pipeline(transaction=False)  # pyright: ignore[reportUnknownMemberType]  same
        with store_errors(), pipeline:
            for name in names:
                pipeline.hgetall(name)
            answers: list[Any] = pipeline.execute()
        return answers
