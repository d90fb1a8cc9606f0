"""Adds up the usage of many events by row, most of them without a call of ours for each.

Most events have plain token counts: input, output, what of them was cached and what was reasoning.
Their counts are only collected here, and added up by column when the rows are wanted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from operator import attrgetter, sub
from typing import Any, Final

from tollgate.ledger.booking import counts_of
from tollgate.ledger.rows import Counts, Row, Sum
from tollgate.ledger.same_key import Count
from tollgate.usage.event import UsageData, UsageEvent
from tollgate.usage.periods import hour_of
from tollgate.usage.sku import PROMPT_BAND_LIMITS, Sku, prompt_band, sku_from, sku_values
from tollgate.usage.tokens import Tokens, leaves

Period = tuple[str, str]  # a tenant, and an hour or a day
Rows = dict[Period, dict[Row, Sum]]

_SKU: Final = (
    *("model", "model_version", "deployment", "backend", "region"),
    *("deployment_type", "scope", "service_tier", "provenance"),
)
_money_row: Final = attrgetter("tenant", "billing_code", *_SKU)
_user_row: Final = attrgetter("tenant", "billing_code", "user", *_SKU)
_counts_of: Final = attrgetter(*Tokens.__struct_fields__)
_WIDTH: Final = len(Tokens.__struct_fields__)
assert Tokens.__struct_fields__[:3] == ("input", "output", "cached_input")  # noqa: S101  as used
_MAX_PLAIN_INPUT: Final = PROMPT_BAND_LIMITS[0]
_FIRST_BAND: Final = prompt_band(0)
_NEVER: Final = datetime.max.replace(tzinfo=UTC)

# the fields of the tokens of one request after the other: a list that holds no lists of its own
_Columns = dict[tuple[Any, ...], list[int | None]]


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
            counts = _counts_of(tokens)
            self._money_of_hour[_money_row(data)] += counts
            self._users_of_day[_user_row(data)] += counts
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
                _add_columns(_sum(self.money, (tenant, hour), ((code,), _sku(tuple(sku)))), columns)
        for day, rows in self._user_columns.items():
            for (tenant, code, user, *sku), columns in rows.items():
                _add_columns(
                    _sum(self.users, (tenant, day), ((code, user), _sku(tuple(sku)))), columns
                )
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
        sums = {meter: (sign * quantity, sign) for meter, quantity in counts.items()}
        _sum(self.money, (tenant, hour), ((code,), sku)).add(sign, sums)
        _sum(self.users, (tenant, day), ((code, user), sku)).add(sign, sums)


_REASONING: Final = Tokens.__struct_fields__.index("reasoning_output") - 3


def _add_columns(found: Sum, counts: list[Any]) -> None:
    """Add plain requests, given as the fields of their tokens, one after the other."""
    inputs, outputs, cached, *others = [counts[field::_WIDTH] for field in range(_WIDTH)]
    reasoning = others.pop(_REASONING)
    if None in cached or None in reasoning or any(map(any, others)):
        for start in range(0, len(counts), _WIDTH):
            split = _split(counts[start : start + _WIDTH])
            found.add(1, {meter: (quantity, 1) for meter, quantity in split.items()})
        return
    found.add(
        len(inputs),
        {
            **_column("input", list(map(sub, inputs, cached))),
            **_column("cached_input", cached),
            **_outputs(outputs, reasoning),
        },
    )


def _outputs(outputs: Sequence[int], reasoning: Sequence[int]) -> Counts:
    if not any(reasoning):
        return _column("output", outputs)
    # reasoning is output, so a request that only reasoned is one of output
    total, counted = sum(outputs) - sum(reasoning), len(outputs) - outputs.count(0)
    return {"output": (total, counted), **_column("reasoning_output", reasoning)}


def _column(meter: str, column: Sequence[int]) -> Counts:
    counted = len(column) - column.count(0)
    return {meter: (sum(column), counted)} if counted else {}


def _split(row: Sequence[Any]) -> dict[str, int]:
    split = leaves(Tokens(**dict(zip(Tokens.__struct_fields__, row, strict=True))))
    if "reasoning_output" in split:
        split.setdefault("output", 0)
    return split


def _sum(rows: Rows, period: Period, row: Row) -> Sum:
    of_period = rows.get(period)
    if of_period is None:
        of_period = rows[period] = {}
    found = of_period.get(row)
    if found is None:
        found = of_period[row] = Sum()
    return found


@lru_cache(maxsize=16_384)
def _sku(values: tuple[str, ...]) -> Sku:
    return sku_from((*values, _FIRST_BAND))
