"""What one tenant's statement of a month says."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import cached_property
from hashlib import sha256
from typing import Final

import msgspec

from accountant.charges import Charge
from accountant.lines import Line
from accountant.money import EXACT, ZERO, total
from accountant.reports.report import Report
from accountant.reports.report_json import members

BY: Final = ("tenant", "billing_code", "model")
_CODE: Final = BY.index("billing_code")

# UTC day, billing code, model.
DayKey = tuple[date, str | None, str | None]


class NumberedLine(msgspec.Struct, frozen=True):
    """A line with the number by which it can be cited."""

    number: int
    line: Line

    @property
    def billing_code(self) -> str | None:
        """For what it is; None is unallocated."""
        return self.line.group[_CODE]

    @property
    def amount(self) -> Decimal:
        """What it costs, exactly."""
        return self.line.amount


class NumberedCharge(msgspec.Struct, frozen=True):
    """What is owed beside usage, with the number by which it can be cited."""

    number: int
    charge: Charge

    @property
    def billing_code(self) -> str | None:
        """For what it is; None is unallocated."""
        return self.charge.billing_code

    @property
    def amount(self) -> Decimal:
        """What is owed, exactly."""
        return self.charge.amount


class CodeSum(msgspec.Struct, frozen=True, kw_only=True):
    """What one billing code comes to, exactly; the parts add up to `amount`."""

    billing_code: str | None
    usage: Decimal
    shared: Decimal
    other: Decimal
    corrections: Decimal

    @property
    def amount(self) -> Decimal:
        """All of it."""
        return total((self.usage, self.shared, self.other, self.corrections))


class Converted(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """An exchange rate by which prices were converted, and the UTC days of that usage.

    Args:
        first: The first day.
        last: The last day.
        currency: ISO 4217, that of the rate card.
        rate: What one unit of it is in the currency of the statement.
        source: Where the rate is from.
    """

    first: date
    last: date
    currency: str
    rate: Decimal
    source: str


class TenantStatement(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """One tenant's statement; lines and entries are numbered from 1, the entries behind the lines.

    Args:
        tenant: Who owes it.
        report: The month's report of this tenant alone, grouped by `BY`.
        by_day: What its usage costs exactly, by UTC day, billing code and model.
        last_day: The last UTC day of which anything was counted; None is none.
        converted: The exchange rates of its usage, by day; empty: prices are in its currency.
    """

    tenant: str
    report: Report
    by_day: Mapping[DayKey, Decimal]
    last_day: date | None
    converted: tuple[Converted, ...] = ()

    @property
    def number(self) -> str | None:
        """The statement's number; a draft has none."""
        return self.report.edition.numbers.get(self.tenant)

    @cached_property
    def lines(self) -> list[NumberedLine]:
        """What is metered and priced."""
        return [NumberedLine(number, each) for number, each in enumerate(self.report.lines, 1)]

    @cached_property
    def entries(self) -> list[NumberedCharge]:
        """What else is owed."""
        first = len(self.report.lines) + 1
        return [NumberedCharge(at, each) for at, each in enumerate(self.report.entries, first)]

    @property
    def corrections(self) -> list[NumberedCharge]:
        """What corrects months that are closed."""
        return [each for each in self.entries if each.charge.correction]

    @property
    def shared(self) -> list[NumberedCharge]:
        """Parts of fixed and shared costs of this month."""
        own = (each for each in self.entries if not each.charge.correction)
        return [each for each in own if each.charge.allocation]

    @property
    def other(self) -> list[NumberedCharge]:
        """Credits and whatever else is owed for this month."""
        own = (each for each in self.entries if not each.charge.correction)
        return [each for each in own if not each.charge.allocation]

    @cached_property
    def by_code(self) -> list[CodeSum]:
        """What each billing code comes to, in the order of the lines; with rounding, the total."""
        parts = (self.lines, self.shared, self.other, self.corrections)
        codes = dict.fromkeys(each.billing_code for part in parts for each in part)
        return [_code_sum(code, parts) for code in codes]

    @property
    def exact(self) -> Decimal:
        """The sum of the lines and entries, before it is rounded."""
        return total(each.amount for each in (*self.lines, *self.entries))

    @property
    def unallocated(self) -> Decimal:
        """What is owed for no billing code, exactly."""
        whole = (each.amount for each in self.by_code if each.billing_code is None)
        return total(whole)

    @property
    def unmetered(self) -> int:
        """How many requests have no count."""
        return sum(each.unmetered for each in self.report.statements)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the content: the report as JSON, keys sorted, without spaces, in UTF-8."""
        content = json.dumps(
            members(self.report), ensure_ascii=False, sort_keys=True, separators=(",", ":")
        )
        return sha256(content.encode()).hexdigest()


def _code_sum(
    code: str | None, parts: Sequence[Sequence[NumberedLine] | Sequence[NumberedCharge]]
) -> CodeSum:
    usage, shared, other, corrections = (
        total(each.amount for each in part if each.billing_code == code) for part in parts
    )
    return CodeSum(
        billing_code=code, usage=usage, shared=shared, other=other, corrections=corrections
    )


def days_of(amounts: Mapping[DayKey, Decimal]) -> dict[date, Decimal]:
    """The amounts by UTC day."""
    sums: dict[date, Decimal] = {}
    for (day, _, _), amount in amounts.items():
        sums[day] = EXACT.add(sums.get(day, ZERO), amount)
    return sums


def names_of(amounts: Mapping[DayKey, Decimal], field: str) -> dict[str | None, Decimal]:
    """The amounts by `billing_code` or `model`."""
    place = BY.index(field)
    sums: dict[str | None, Decimal] = {}
    for key, amount in amounts.items():
        name = key[1] if place == _CODE else key[2]
        sums[name] = EXACT.add(sums.get(name, ZERO), amount)
    return sums
