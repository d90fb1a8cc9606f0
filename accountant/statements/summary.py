"""What the month comes to: every statement's total, added up while the statements pass by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from hashlib import sha256
from typing import Final

import msgspec

from accountant.edition import Edition
from accountant.lines import PROVENANCES, UnpricedLine
from accountant.money import EXACT, ZERO, rounded, total
from accountant.reports.report import MonthFacts
from accountant.statements.tenant_statement import CodeSum, TenantStatement
from tollgate.usage.periods import Month

NOBODY: Final = "unallocated"  # the tenant of unknown callers
_COUNTED: Final = ("measured", "injected")


class StatementTotal(msgspec.Struct, frozen=True, kw_only=True):
    """One statement in the summary.

    Args:
        tenant: Whose it is.
        number: Its number; a draft has none.
        sums: What its billing codes come to together, exactly.
        rounding: The total less the exact sum.
        total: What is owed.
        unallocated: The part of the exact sum that is for no billing code.
        unpriced: How many lines have no rate.
        unmetered: How many requests have no count.
        digest: Of its content.
    """

    tenant: str
    number: str | None
    sums: CodeSum
    rounding: Decimal
    total: Decimal
    unallocated: Decimal
    unpriced: int
    unmetered: int
    digest: str


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """The month over all statements.

    Args:
        period: The month, in UTC.
        currency: ISO 4217.
        edition: Which state of the books it is.
        statements: One a tenant, in the order in which they came.
        coverage: Requests by provenance.
        by_day: What usage costs exactly, by UTC day.
        by_model: The same by model; None is not known.
        unpriced: Usage without a rate, as its statements name it; those not known are left out.
        last_day: The last UTC day of which anything was counted; None is none.
    """

    period: Month
    currency: str
    edition: Edition
    statements: list[StatementTotal]
    coverage: Mapping[str, int]
    by_day: Mapping[date, Decimal]
    by_model: Mapping[str | None, Decimal]
    unpriced: list[UnpricedLine]
    last_day: date | None

    @property
    def total(self) -> Decimal:
        """What the statements add up to."""
        return rounded(total(each.total for each in self.statements), self.currency)

    @property
    def exact(self) -> Decimal:
        """The sum before the statements were rounded."""
        return total(each.sums.amount for each in self.statements)

    @property
    def unallocated(self) -> Decimal:
        """What is owed for no billing code, or by nobody who is known; exactly."""
        return total(
            each.sums.amount if each.tenant == NOBODY else each.unallocated
            for each in self.statements
        )

    @property
    def unmetered(self) -> int:
        """How many requests have no count."""
        return sum(each.unmetered for each in self.statements)

    @property
    def digest(self) -> str:
        """SHA-256 of the statements' digests in their order, a line each."""
        return sha256("".join(f"{each.digest}\n" for each in self.statements).encode()).hexdigest()


def share_measured(coverage: Mapping[str, int]) -> tuple[int, int]:
    """Requests that the provider counted, of those that used anything."""
    used = sum(count for name, count in coverage.items() if name != "none")
    return sum(coverage.get(name, 0) for name in _COUNTED), used


class SummaryOf:
    """Adds statements up as they pass by; only their totals are kept.

    Args:
        facts: Of the month.
    """

    def __init__(self, facts: MonthFacts) -> None:
        self._facts = facts
        self._statements: list[StatementTotal] = []
        self._coverage = Counter[str]()
        self._by_day: dict[date, Decimal] = {}
        self._by_model: dict[str | None, Decimal] = {}
        self._unpriced: list[UnpricedLine] = []
        self._last_days: set[date] = set()

    def passed(self, statements: Iterable[TenantStatement]) -> Iterator[TenantStatement]:
        """The statements as they come, each of them added."""
        for each in statements:
            self._add(each)
            yield each

    def summary(self) -> Summary:
        """All that passed."""
        facts = self._facts
        return Summary(
            period=facts.period,
            currency=facts.currency,
            edition=facts.edition,
            statements=self._statements,
            coverage={name: self._coverage[name] for name in PROVENANCES},
            by_day=self._by_day,
            by_model=self._by_model,
            unpriced=self._unpriced,
            last_day=max(self._last_days, default=None),
        )

    def _add(self, each: TenantStatement) -> None:
        self._statements.append(_total(each))
        self._coverage.update(each.report.coverage)
        for (day, _, model), amount in each.by_day.items():
            self._by_day[day] = EXACT.add(self._by_day.get(day, ZERO), amount)
            self._by_model[model] = EXACT.add(self._by_model.get(model, ZERO), amount)
        self._unpriced += (line for line in each.report.unpriced if line.meter is not None)
        self._last_days.update([each.last_day] if each.last_day else ())


def _total(each: TenantStatement) -> StatementTotal:
    sums = each.by_code
    return StatementTotal(
        tenant=each.tenant,
        number=each.number,
        sums=CodeSum(
            billing_code=None,
            usage=total(part.usage for part in sums),
            shared=total(part.shared for part in sums),
            other=total(part.other for part in sums),
            corrections=total(part.corrections for part in sums),
        ),
        rounding=each.report.rounding,
        total=each.report.total,
        unallocated=each.unallocated,
        unpriced=sum(line.meter is not None for line in each.report.unpriced),
        unmetered=each.unmetered,
        digest=each.digest,
    )
