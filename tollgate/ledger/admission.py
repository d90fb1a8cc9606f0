"""Which billing codes and users have a cell of their own, and which share the overflow's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Final

from redis.asyncio import Redis, RedisCluster

from tollgate.ledger.batch import as_json
from tollgate.ledger.booking import Booking
from tollgate.ledger.cells import OVERFLOW
from tollgate.ledger.keys import TenantKeys
from tollgate.ledger.outcome import LedgerLimits
from tollgate.ledger.pipelines import Command, run
from tollgate.ledger.row_sums import Rows
from tollgate.ledger.rows import Sum

_NAMES: Final = 2_000  # of a command

Names = dict[str, set[str | None]]  # by the key of the set: those in it, of those asked for


class Admission:
    """Names within the ledger's limits, in the order in which they are asked for.

    Args:
        redis: A client that returns bytes.
        limits: How many names are admitted.
    """

    def __init__(self, redis: Redis | RedisCluster, limits: LedgerLimits) -> None:
        self._redis = redis
        self._limits = limits

    async def admit(
        self, keys: Callable[[str], TenantKeys], money: Rows, users: Rows
    ) -> tuple[Rows, Rows]:
        """The same rows, where those of names beyond the limit are one."""
        codes: defaultdict[str, set[str | None]] = defaultdict(set)
        names: defaultdict[str, set[str | None]] = defaultdict(set)
        for (tenant, _), rows in money.items():
            codes[keys(tenant).codes].update(code for (code,), _ in rows)
        for (tenant, day), rows in users.items():
            names[keys(tenant).names(day)].update(user for (_, user), _ in rows)
        own_codes = await self._own(codes, self._limits.billing_codes)
        own_names = await self._own(names, self._limits.users_per_day)
        if own_codes == codes and own_names == names:
            return money, users
        return (
            _folded(money, lambda tenant, _: (own_codes[keys(tenant).codes],)),
            _folded(
                users,
                lambda tenant, day: (
                    own_codes[keys(tenant).codes],
                    own_names[keys(tenant).names(day)],
                ),
            ),
        )

    async def names(self, keys: TenantKeys, half: Booking) -> tuple[str | None, str | None]:
        """The billing code and user that an event is counted under."""
        codes = await self._own({keys.codes: {half.billing_code}}, self._limits.billing_codes)
        users = await self._own({keys.names(half.day): {half.user}}, self._limits.users_per_day)
        [own_codes], [own_users] = codes.values(), users.values()
        return (
            half.billing_code if half.billing_code in own_codes else OVERFLOW,
            half.user if half.user in own_users else OVERFLOW,
        )

    async def _own(self, wanted: Names, limit: int) -> Names:
        asked = [
            (key, part)
            for key, names in wanted.items()
            for part in _parts(sorted(name for name in names if name is not None))
        ]
        is_known = await run(
            self._redis, [("SMISMEMBER", key, *map(as_json, part)) for key, part in asked]
        )
        own: Names = {key: names & {None} for key, names in wanted.items()}
        new: defaultdict[str, list[str]] = defaultdict(list)
        for (key, part), flags in zip(asked, is_known, strict=True):
            own[key].update(name for name, flag in zip(part, flags, strict=True) if flag)
            new[key] += [name for name, flag in zip(part, flags, strict=True) if not flag]
        grown = [key for key, names in new.items() if names]
        counts = await run(self._redis, [("SCARD", key) for key in grown])
        commands: list[Command] = []
        for key, count in zip(grown, counts, strict=True):
            admitted = new[key][: max(limit - count, 0)]
            own[key].update(admitted)
            commands += [("SADD", key, *map(as_json, part)) for part in _parts(admitted)]
        await run(self._redis, commands)
        return own


def _parts(names: list[str]) -> list[list[str]]:
    return [names[start : start + _NAMES] for start in range(0, len(names), _NAMES)]


def _folded(rows: Rows, own: Callable[[str, str], tuple[set[str | None], ...]]) -> Rows:
    folded: Rows = {}
    for (tenant, period), of_period in rows.items():
        target = folded.setdefault((tenant, period), {})
        for (names, sku), each in of_period.items():
            kept = tuple(
                name if name in some else OVERFLOW
                for name, some in zip(names, own(tenant, period), strict=True)
            )
            target.setdefault((kept, sku), Sum()).merge(each)
    return folded
