"""What is known at a time: whole UTC days before it, and a part of its own day."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import msgspec

from tollgate.usage.periods import Month


class AsOf(msgspec.Struct, frozen=True):
    """A time from which a month is looked at.

    Args:
        time: In UTC.
    """

    time: datetime

    @classmethod
    def parse(cls, text: str) -> AsOf:
        """Read a UTC day, which is its midnight, or a time with its zone.

        Raises:
            ValueError: The text is neither.
        """
        try:
            found = datetime.fromisoformat(text)
        except ValueError:
            found = None
        if found is None or (found.tzinfo is None and len(text) > len("2026-10-15")):
            raise ValueError(
                f"{text!r} is not a time; write a UTC day such as 2026-10-15, or a time with its "
                "zone such as 2026-10-15T08:00Z"
            )
        return cls(found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC))

    def __str__(self) -> str:
        return self.time.strftime("%Y-%m-%dT%H:%M:%SZ")

    @property
    def today(self) -> date:
        """The UTC day that is not over."""
        return self.time.date()

    @property
    def begun(self) -> bool:
        """Whether any of today is over."""
        return self.time.time() != time()

    def knows(self, day: date) -> bool:
        """Whether usage of the day was there to be seen, all of it or a part."""
        return day < self.today or (day == self.today and self.begun)

    def whole_days(self, month: Month) -> list[date]:
        """The days of a month that are over."""
        return [day for day in days_of(month) if day < self.today]

    def is_over(self, month: Month) -> bool:
        """Whether all of the month's days are over."""
        return self.time >= month.end


def days_of(month: Month) -> list[date]:
    """Every UTC day of a month."""
    return [date.fromisoformat(day) for day in month.days()]


def months_before(month: Month, count: int) -> list[Month]:
    """So many months that precede one, the first of them first."""
    last = month.year * 12 + month.month - 1
    return [Month(place // 12, place % 12 + 1) for place in range(max(last - count, 12), last)]


def days_between(first: date, last: date) -> list[date]:
    """Every day from the first to the last, both included; none if they are the other way."""
    return [first + timedelta(days=step) for step in range((last - first).days + 1)]
