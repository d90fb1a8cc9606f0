"""A month beside another: what each group costs, and why it differs."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from accountant.charges import Charge, Consumption, Uncharged
from accountant.lines import name_order
from accountant.money import EXACT, ZERO, total
from accountant.planning.as_of import AsOf
from accountant.planning.charged_usage import usage_of, why_left_out
from accountant.planning.effects import Effects, Item, Items, Used, added, effects
from accountant.rate_cards.rate_card import DEFAULT_TIER
from tollgate.usage.sku import Sku

GROUPS: Final = ("tenant", "billing_code", "model")
Group = tuple[str | None, ...]


class MonthCosts:
    """What a month cost by group: items of usage, and what is no usage.

    Args:
        by: Some of `GROUPS`.
        as_of: Usage of later days is left out.
        first_days: Only usage of so many first days of the month, and what else begins in them.
            None is the whole month.

    Attributes:
        rounding: Of the month's statements, which is in no group.
        left_out: Lines of usage that are in no charge, by tenant and why.
    """

    def __init__(self, by: Sequence[str], as_of: AsOf, first_days: int | None = None) -> None:
        self.items: dict[Group, dict[Item, Used]] = defaultdict(dict)
        self.other: dict[Group, Decimal] = defaultdict(lambda: ZERO)
        self.rounding = ZERO
        self.left_out: dict[str, Counter[str]] = defaultdict(Counter)
        self._by = by
        self._as_of = as_of
        self._first_days = first_days

    def add(self, each: Charge | Uncharged) -> None:
        """Count what the month charges, or does not; in any order."""
        if self._first_days is not None and each.start.day > self._first_days:
            return
        if isinstance(each, Uncharged):
            if self._as_of.knows(each.start):
                self.left_out[each.tenant][why_left_out(each)] += 1
        elif each.category == "Rounding":
            self.rounding = EXACT.add(self.rounding, each.amount)
        elif found := usage_of(each):
            if self._as_of.knows(each.start):
                self._use(each, found[0])
        else:
            group = self._group(each)
            self.other[group] = EXACT.add(self.other[group], each.amount)

    def _use(self, charge: Charge, consumed: Consumption) -> None:
        item = _item(consumed.sku, consumed.meter, consumed.unit)
        used = self.items[self._group(charge)].setdefault(item, Used())
        used.quantity += consumed.quantity
        used.amount = EXACT.add(used.amount, charge.amount)

    def amount(self, group: Group) -> Decimal:
        """All that a group costs."""
        usage = (used.amount for used in self.items.get(group, {}).values())
        return EXACT.add(total(usage), self.other.get(group, ZERO))

    def _group(self, charge: Charge) -> Group:
        values = {
            "tenant": charge.tenant,
            "billing_code": charge.billing_code,
            "model": charge.consumed and charge.consumed.sku.model,
        }
        return tuple(values[field] for field in self._by)


class ComparedLine(msgspec.Struct, frozen=True, kw_only=True):
    """A group in both months.

    Args:
        group: The values of `by`, in its order.
        before: What it cost in the month to compare with.
        after: What it cost in the month that is compared.
        effects: Parts of the difference, which add up to it exactly.
    """

    group: Group
    before: Decimal
    after: Decimal
    effects: Effects

    @property
    def change(self) -> Decimal:
        """After less before."""
        return EXACT.subtract(self.after, self.before)


class Volume(msgspec.Struct, frozen=True, kw_only=True):
    """How much was used of one unit of measure: of items of both months, or of only one."""

    unit: str
    before: int
    after: int
    new: int
    vanished: int


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Two months, in one stable order whatever the order of their charges.

    Args:
        by: What lines are grouped by.
        lines: The groups by name.
        total: Their sum; its effects are the sums of theirs.
        volumes: What the volume effects are of, by unit.
        rounding: Of the statements before and after, which no line holds.
        left_out: Lines of usage of both months that are in no figure, by tenant and why.
    """

    by: tuple[str, ...]
    lines: list[ComparedLine]
    total: ComparedLine
    volumes: list[Volume]
    rounding: tuple[Decimal, Decimal]
    left_out: dict[str, Counter[str]]


def comparison(by: Sequence[str], before: MonthCosts, after: MonthCosts) -> Comparison:
    """Compare two months that were counted by the same groups."""
    groups = {*before.items, *before.other, *after.items, *after.other}
    lines = [_line(group, before, after) for group in sorted(groups, key=_order)]
    whole = ComparedLine(
        group=(None,) * len(by),
        before=total(line.before for line in lines),
        after=total(line.after for line in lines),
        effects=added(line.effects for line in lines),
    )
    return Comparison(
        by=tuple(by),
        lines=lines,
        total=whole,
        volumes=_volumes(before, after),
        rounding=(before.rounding, after.rounding),
        left_out={
            tenant: before.left_out[tenant] + after.left_out[tenant]
            for tenant in sorted({*before.left_out, *after.left_out})
        },
    )


def _item(sku: Sku, meter: str, unit: str) -> Item:
    tier = sku.service_tier or DEFAULT_TIER
    return Item(unit, sku.model, meter, sku.deployment_type, sku.scope, tier, sku.prompt_band)


def _order(group: Group) -> tuple[object, ...]:
    return tuple(map(name_order, group))


def _line(group: Group, before: MonthCosts, after: MonthCosts) -> ComparedLine:
    other = EXACT.subtract(after.other.get(group, ZERO), before.other.get(group, ZERO))
    return ComparedLine(
        group=group,
        before=before.amount(group),
        after=after.amount(group),
        effects=effects(before.items.get(group, {}), after.items.get(group, {}), other),
    )


def _volumes(before: MonthCosts, after: MonthCosts) -> list[Volume]:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for group in {*before.items, *after.items}:
        old, new = before.items.get(group, {}), after.items.get(group, {})
        _count(old, new, counts, ("before", "vanished"))
        _count(new, old, counts, ("after", "new"))
    return [
        Volume(
            unit=unit,
            before=count["before"],
            after=count["after"],
            new=count["new"],
            vanished=count["vanished"],
        )
        for unit, count in sorted(counts.items())
    ]


def _count(
    items: Items, others: Items, counts: Mapping[str, Counter[str]], names: tuple[str, str]
) -> None:
    """Count what is in both months under the first name, the rest under the second."""
    for item, used in items.items():
        counts[item.unit][names[item not in others]] += used.quantity
