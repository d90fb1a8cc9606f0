"""Charges as daily series: usage by tenant, model and UTC day, and what is no usage apart."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from accountant.charges import Charge, Uncharged
from accountant.money import EXACT, ZERO
from accountant.planning.as_of import AsOf
from accountant.planning.charged_usage import usage_of, why_left_out
from tollgate.usage.periods import Month

Days = Mapping[date, Decimal]
Series = tuple[str, str | None]  # tenant and model


class DailySpend:
    """What months cost, as far as it is known at a time; in any order.

    Usage is what was metered in its own month. Fixed and shared costs, purchases, credits,
    adjustments and corrections are one-offs of the month that charges them. The rounding of
    statements is in neither.

    Args:
        as_of: Usage of later days is left out.
    """

    def __init__(self, as_of: AsOf) -> None:
        self.usage: dict[Series, dict[date, Decimal]] = defaultdict(dict)
        self.one_offs: dict[tuple[Month, str], Decimal] = defaultdict(lambda: ZERO)
        self.left_out: dict[tuple[Month, str], Counter[str]] = defaultdict(Counter)
        self._as_of = as_of

    def add(self, month: Month, each: Charge | Uncharged) -> None:
        """Count what a month charges, or does not."""
        if isinstance(each, Uncharged):
            if self._as_of.knows(each.start):
                self.left_out[month, each.tenant][why_left_out(each)] += 1
        elif used := usage_of(each):
            if self._as_of.knows(each.start):
                days = self.usage[each.tenant, used[0].sku.model]
                days[each.start] = EXACT.add(days.get(each.start, ZERO), each.amount)
        elif each.category != "Rounding":
            before = self.one_offs[month, each.tenant]
            self.one_offs[month, each.tenant] = EXACT.add(before, each.amount)

    def tenants(self) -> dict[str, dict[date, Decimal]]:
        """Usage by tenant, sorted, and day; who has none has no days."""
        names = {tenant for _, tenant in (*self.one_offs, *self.left_out)}
        names |= {tenant for tenant, _ in self.usage}
        found: dict[str, dict[date, Decimal]] = {name: {} for name in sorted(names)}
        for (tenant, _), days in self.usage.items():
            for day, amount in days.items():
                found[tenant][day] = EXACT.add(found[tenant].get(day, ZERO), amount)
        return found


def together(series: Mapping[str, Days]) -> dict[date, Decimal]:
    """The sum of several series by day."""
    found: dict[date, Decimal] = {}
    for days in series.values():
        for day, amount in days.items():
            found[day] = EXACT.add(found.get(day, ZERO), amount)
    return found
