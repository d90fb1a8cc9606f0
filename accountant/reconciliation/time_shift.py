"""Usage that both sides have, on different sides of midnight."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

import msgspec

_DAY = timedelta(days=1)


class DayBalance(msgspec.Struct, frozen=True):
    """One item's day, for what may have moved over its midnights.

    Args:
        difference: The provider's count less the ledger's.
        first_hour: What the ledger booked in the day's first hour.
        last_hour: The same of its last hour.
    """

    difference: int
    first_hour: int
    last_hour: int


def shifted(days: Mapping[date, DayBalance]) -> dict[date, int]:
    """What of each day's difference stands on a day beside it.

    Days in a row whose differences add up to zero agree, if no more moved over a midnight than the
    ledger booked in the hour on its other side. What does not add up is not explained by this.

    Args:
        days: The days that are compared; a day without usage may be left out.

    Returns:
        The whole difference of each such day; other days are left out.
    """
    found: dict[date, int] = {}
    for day in sorted(days):
        if days[day].difference and day not in found:
            run = _run(day, days)
            found |= {each: days[each].difference for each in run if days[each].difference}
    return found


def _run(start: date, days: Mapping[date, DayBalance]) -> list[date]:
    """The days from `start` that agree together; none if they do not."""
    run, moved, day = [start], days[start].difference, start
    while (after := day + _DAY) in days and _may_move(moved, days[day], days[after]):
        moved += days[after].difference
        run.append(after)
        if not moved:
            return run
        day = after
    return []


def _may_move(moved: int, before: DayBalance, after: DayBalance) -> bool:
    """Whether so much may have moved: what the provider has early is after midnight here."""
    return moved <= after.first_hour if moved > 0 else -moved <= before.last_hour
