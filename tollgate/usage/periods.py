"""UTC hours and months, as the ledger books them and the accountant asks for them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

import msgspec

_HOUR: Final = timedelta(hours=1)


class Month(msgspec.Struct, frozen=True, order=True):
    """A calendar month in UTC."""

    year: int
    month: int

    @classmethod
    def parse(cls, text: str) -> Month:
        """Read `YYYY-MM`.

        Raises:
            ValueError: The text is not a month.
        """
        found = re.fullmatch(r"([0-9]{4})-(0[1-9]|1[0-2])", text)
        if not found or found[1] == "0000":
            raise ValueError(f"{text!r} is not a month; write it as YYYY-MM, for example 2026-10")
        return cls(int(found[1]), int(found[2]))

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"

    @property
    def start(self) -> datetime:
        """The first instant of the month."""
        return datetime(self.year, self.month, 1, tzinfo=UTC)

    @property
    def end(self) -> datetime:
        """The first instant after the month (the last one there is, for 9999-12)."""
        if (self.year, self.month) == (9999, 12):
            return datetime.max.replace(tzinfo=UTC)
        return datetime(self.year + self.month // 12, self.month % 12 + 1, 1, tzinfo=UTC)

    def days(self) -> list[str]:
        """Every UTC day of the month, as `day_of` writes it."""
        count = (self.end - self.start + timedelta(seconds=1)).days
        return [f"{self}-{day:02d}" for day in range(1, count + 1)]

    def hours(self) -> list[str]:
        """Every UTC hour of the month, as `hour_of` writes it."""
        return [f"{day}T{hour:02d}" for day in self.days() for hour in range(24)]


def hour_of(time: datetime) -> str:
    """The UTC hour of a time, as `YYYY-MM-DDTHH`."""
    utc = time if time.tzinfo is UTC else time.astimezone(UTC)
    return _hour(utc.year, utc.month, utc.day, utc.hour)


@lru_cache(maxsize=4096)
def _hour(year: int, month: int, day: int, hour: int) -> str:
    return f"{year:04d}-{month:02d}-{day:02d}T{hour:02d}"


def day_of(time: datetime) -> str:
    """The UTC day of a time, as `YYYY-MM-DD`."""
    return day_of_hour(hour_of(time))


def day_of_hour(hour: str) -> str:
    """The UTC day of an hour, as `day_of` writes it."""
    return hour[: len("2026-10-31")]


@lru_cache(maxsize=4096)
def hours_beside(hour: str) -> tuple[str, str]:
    """The hours before and after one of them, as `hour_of` writes it."""
    start = datetime.fromisoformat(f"{hour}:00+00:00")
    return hour_of(start - _HOUR), hour_of(start + _HOUR)
