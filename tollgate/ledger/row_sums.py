"""Adds up the usage of many events by row, most of them without a call of ours for each.

Most events have plain token counts: input, output, what of them was cached and what was reasoning.
Their counts are only collected here, and added up by column when the rows are wanted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from operator import attrgetter, sub
from typing import Any, Final

from tollgate.ledger.booking import counts_of
from tollgate.ledger.rows import Row, Tally
from tollgate.ledger.same_key import Count
from tollgate.usage.event import UsageData, UsageEvent
from tollgate.usage.periods import hour_of
from tollgate.usage.sku import PROMPT_BAND_LIMITS, prompt_band, sku_from, sku_values
from tollgate.usage.tokens import Tokens, leaves

Period = tuple[str, str]  # a tenant, and an hour or a day
Rows = dict[Period, dict[Row, Tally]]

_SKU: Final = (
    *("model", "model_version", "deployment", "backend", "region"),
    *("deployment_type", "scope", "service_tier", "provenance"),
)
_money_row: Final = attrgetter("tenant", "billing_code", *_SKU)
_user_row: Final = attrgetter("tenant", "billing_code", "user", *_SKU)
_columns: Final = attrgetter(*Tokens.__struct_fields__)
assert Tokens.__struct_fields__[:3] == ("input", "output", "cached_input")  # noqa: S101  as used
_MAX_PLAIN_INPUT: Final = PROMPT_BAND_LIMITS[0]
_FIRST_BAND: Final = prompt_band(0)
_NEVER: Final = datetime.max.replace(tzinfo=UTC)

_Columns = dict[tuple[Any, ...], list[tuple[int | None, ...]]]


class RowSums:
    """Money rows by tenant and hour, and user rows by tenant and day, while events are added."""

    def __init__(self) -> None:
        self.money: Rows = {}
        self.users: Rows = {}
        self._money_columns: defaultdict[str, _Columns] = defaultdict(lambda: defaultdict(list))
        self._user_columns: defaultdict[str, _Columns] = defaultdict(lambda: defaultdict(list))
        self._hour = ""
        self._begin = self._end = _NEVER

    def add(self, event: UsageEvent) -> str:
        """Add an event as one request, and return its hour."""
        data, tokens = event.data, event.data.tokens
        if not self._begin <= event.time < self._end:
            self._turn_to(event.time)
        if tokens is None or data.units or tokens.input > _MAX_PLAIN_INPUT:
            self._add_slowly(data)
        else:
            columns = _columns(tokens)
            self._money_of_hour[_money_row(data)].append(columns)
            self._users_of_day[_user_row(data)].append(columns)
        return self._hour

    def correct(self, count: Count, sign: int) -> None:
        """Add a count, or take it back with `sign` -1."""
        place, usage = count
        self._book(
            (place.tenant, place.hour, place.billing_code, place.user),
            usage.sku,
            usage.counts,
            sign,
        )

    def finish(self) -> None:
        """Bring all that was added into `money` and `users`."""
        for hour, rows in self._money_columns.items():
            for (tenant, code, *sku), columns in rows.items():
                self._sum(self.money, (tenant, hour), ((code,), _sku(sku)), columns)
        for day, rows in self._user_columns.items():
            for (tenant, code, user, *sku), columns in rows.items():
                self._sum(self.users, (tenant, day), ((code, user), _sku(sku)), columns)
        self._money_columns.clear()
        self._user_columns.clear()
        self._begin = self._end = _NEVER

    def _turn_to(self, time: datetime) -> None:
        self._hour = hour_of(time)
        self._begin = time.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        self._end = self._begin + timedelta(hours=1)
        self._money_of_hour = self._money_columns[self._hour]
        self._users_of_day = self._user_columns[self._hour.partition("T")[0]]

    def _add_slowly(self, data: UsageData) -> None:
        place = (data.tenant, self._hour, data.billing_code, data.user)
        self._book(place, sku_from(sku_values(data)), counts_of(data), 1)

    def _book(self, place: Any, sku: Any, counts: dict[str, int], sign: int) -> None:
        tenant, hour, code, user = place
        day = hour.partition("T")[0]
        _tally(self.money, (tenant, hour), ((code,), sku)).add(counts, sign)
        _tally(self.users, (tenant, day), ((code, user), sku)).add(counts, sign)

    def _sum(self, rows: Rows, period: Period, row: Row, columns: Sequence[Any]) -> None:
        tally = _tally(rows, period, row)
        inputs, outputs, cached, *others = zip(*columns, strict=True)
        reasoning = others.pop(_REASONING)
        if None in cached or None in reasoning or any(any(column) for column in others):
            for counts in columns:
                _add_counts(tally, counts)
            return
        tally.requests += len(columns)
        rest, visible = list(map(sub, inputs, cached)), list(map(sub, outputs, reasoning))
        # of a request that only reasoned, output is 0 but it is one of output
        silent = sum(
            1 for all_of_it, seen in zip(outputs, visible, strict=True) if all_of_it and not seen
        )
        _add_column(tally, "input", rest)
        _add_column(tally, "cached_input", cached)
        _add_column(tally, "output", visible, silent)
        _add_column(tally, "reasoning_output", reasoning)


_REASONING: Final = Tokens.__struct_fields__.index("reasoning_output") - 3


def _add_column(tally: Tally, meter: str, column: Sequence[int], more: int = 0) -> None:
    counted = len(column) - column.count(0) + more
    if counted:
        tally.quantities[meter] += sum(column)
        tally.counted[meter] += counted


def _add_counts(tally: Tally, counts: Sequence[Any]) -> None:
    split = leaves(Tokens(**dict(zip(Tokens.__struct_fields__, counts, strict=True))))
    if "reasoning_output" in split:
        split.setdefault("output", 0)
    tally.add(split)


def _tally(rows: Rows, period: Period, row: Row) -> Tally:
    of_period = rows.get(period)
    if of_period is None:
        of_period = rows[period] = {}
    tally = of_period.get(row)
    if tally is None:
        tally = of_period[row] = Tally()
    return tally


def _sku(values: Sequence[str]) -> Any:
    return sku_from((*values, _FIRST_BAND))
