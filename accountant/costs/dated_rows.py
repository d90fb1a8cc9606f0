"""Rows of a costs file: where each stands, and on which UTC days it holds."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from datetime import date, timedelta
from itertools import combinations
from typing import Self, TypeVar

from pydantic import BaseModel, ConfigDict, PrivateAttr

from accountant.rate_cards.rate_rows import DatedRow
from tollgate.usage.periods import Month


class PlacedRow(BaseModel):
    """A row that knows its file, number and line."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())

    _place: str = PrivateAttr(default="row")

    @property
    def place(self) -> str:
        """File, row and line, for messages."""
        return self._place

    def at(self, place: str) -> Self:
        """The same row, read there."""
        self._place = place
        return self


class LastingRow(DatedRow, PlacedRow):
    """A row that holds from a day to a day."""

    def holds_on(self, day: date) -> bool:
        """Whether the UTC day is one of its days."""
        return self.effective_from <= day and (self.effective_to is None or day < self.effective_to)

    def days_in(self, month: Month) -> list[date]:
        """The UTC days of the month on which it holds."""
        return [day for day in days_of(month) if self.holds_on(day)]


Lasting = TypeVar("Lasting", bound=LastingRow)


def days_of(month: Month) -> list[date]:
    """Every UTC day of a month."""
    return [date.fromisoformat(day) for day in month.days()]


def both_hold(a: LastingRow, b: LastingRow) -> date | None:
    """The first UTC day on which both hold; None is never."""
    since = max(a.effective_from, b.effective_from)
    return since if a.holds_on(since) and b.holds_on(since) else None


def same_twice(
    keyed: Iterable[tuple[Hashable, Lasting]],
) -> Iterator[tuple[Lasting, Lasting, date]]:
    """Pairs of rows of one key, the earlier written first, that hold on the same day."""
    groups: dict[Hashable, list[Lasting]] = {}
    for key, row in keyed:
        groups.setdefault(key, []).append(row)
    for group in groups.values():
        for a, b in combinations(group, 2):
            if since := both_hold(a, b):
                yield a, b, since


def in_words(days: Sequence[date]) -> str:
    """Days as ranges, such as `2026-11-03 to 2026-11-07, 2026-11-09`."""
    ranges: list[tuple[date, date]] = []
    for day in sorted(days):
        if ranges and day == ranges[-1][1] + timedelta(days=1):
            ranges[-1] = (ranges[-1][0], day)
        else:
            ranges.append((day, day))
    return ", ".join(str(a) if a == b else f"{a} to {b}" for a, b in ranges)
