"""Contract discounts and internal mark-ups: dated percentages on top of the list price."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from itertools import combinations
from typing import Final, Literal

import msgspec

from accountant.money import EXACT, plain
from tollgate.usage.sku import Sku

RuleKind = Literal["discount", "markup"]
# Both apply, the discount first; of each kind the most specific one.
RULE_KINDS: Final[tuple[RuleKind, ...]] = ("discount", "markup")
# What a rule may ask of usage; the more it asks, the more specific it is.
RULE_FIELDS: Final = ("tenant", "model", "deployment_type", "meter")
_HUNDRED: Final = Decimal(100)


class Adjustment(msgspec.Struct, frozen=True):
    """What was done to a list price, as a line shows it.

    Args:
        kind: `discount` takes the percentage off, `markup` puts it on.
        name: What the agreement or the policy calls it.
        percent: Of the price before it.
    """

    kind: RuleKind
    name: str
    percent: Decimal


class PriceRule(msgspec.Struct, frozen=True, kw_only=True):
    """One dated discount or mark-up; the match fields narrow it, None matches anything.

    Args:
        kind: `discount` or `markup`.
        name: What lines call it.
        percent: Of the price before it.
        effective_from: The first UTC day it holds.
        effective_to: The first UTC day it no longer holds; None is open.
        source: The agreement or decision that it is from.
        place: File and row, for messages.
    """

    kind: RuleKind
    name: str
    percent: Decimal
    effective_from: date
    effective_to: date | None = None
    tenant: str | None = None
    model: str | None = None
    deployment_type: str | None = None
    meter: str | None = None
    source: str = ""
    place: str = "rule"

    def match(self) -> dict[str, str]:
        """The match fields that it sets."""
        values = {field: getattr(self, field) for field in RULE_FIELDS}
        return {field: value for field, value in values.items() if value is not None}

    def holds_on(self, day: date) -> bool:
        """Whether the UTC day is one of its days."""
        return self.effective_from <= day and (self.effective_to is None or day < self.effective_to)


class PriceRules:
    """Rules none of which contradicts another; `rule_clashes` tells whether they do."""

    def __init__(self, rules: Sequence[PriceRule] = ()) -> None:
        self.rules: Final = tuple(sorted(rules, key=lambda rule: -len(rule.match())))
        self._found: dict[tuple[str | None, Sku, str, date], tuple[Adjustment, ...]] = {}

    def adjustments(
        self, tenant: str | None, sku: Sku, meter: str, day: date
    ) -> tuple[Adjustment, ...]:
        """What happens to the list price, in this order.

        Args:
            tenant: Who pays; None is nobody in particular, to whom no tenant's rule applies.
            sku: What was consumed.
            meter: The leaf or unit.
            day: The UTC day of the usage.
        """
        if not self.rules:
            return ()
        key = (tenant, sku, meter, day)
        if key not in self._found:
            self._found[key] = tuple(self._chosen(tenant, sku, meter, day))
        return self._found[key]

    def _chosen(self, tenant: str | None, sku: Sku, meter: str, day: date) -> list[Adjustment]:
        values = {
            "tenant": tenant,
            "model": sku.model,
            "deployment_type": sku.deployment_type,
            "meter": meter,
        }
        fits = [
            rule
            for rule in self.rules
            if rule.holds_on(day)
            and all(values[field] == value for field, value in rule.match().items())
        ]
        first = {rule.kind: rule for rule in reversed(fits)}
        chosen = (first[kind] for kind in RULE_KINDS if kind in first)
        return [Adjustment(rule.kind, rule.name, rule.percent) for rule in chosen]


def adjusted(price: Decimal, adjustments: Sequence[Adjustment]) -> Decimal:
    """The price after discounts and mark-ups, exactly."""
    for each in adjustments:
        percent = each.percent if each.kind == "markup" else -each.percent
        factor = EXACT.divide(EXACT.add(_HUNDRED, percent), _HUNDRED)
        price = EXACT.multiply(price, factor)
    return price


def words(adjustments: Sequence[Adjustment]) -> str:
    """What was done to a list price, such as `EA 2026 -12.5%, platform +3%`; empty is nothing."""
    signs = {"discount": "-", "markup": "+"}
    return ", ".join(
        f"{each.name} {signs[each.kind]}{plain(each.percent)}%" for each in adjustments
    )


def rule_clashes(rules: Sequence[PriceRule]) -> list[str]:
    """Which rules of one kind can hold for the same usage, with nothing to choose between them."""
    return [_clash(a, b) for a, b in combinations(rules, 2) if _clashes(a, b)]


def _clashes(a: PriceRule, b: PriceRule) -> bool:
    if a.kind == b.kind and (a.holds_on(b.effective_from) or b.holds_on(a.effective_from)):
        one, other = a.match(), b.match()
        shared = one.keys() & other.keys()
        return len(one) == len(other) and all(one[field] == other[field] for field in shared)
    return False


def _clash(a: PriceRule, b: PriceRule) -> str:
    since = max(a.effective_from, b.effective_from)
    only = sorted(a.match().keys() ^ b.match().keys())
    advice = (
        f"neither is more specific; set {' and '.join(only)} in both, or in one"
        if only
        else "a new percentage needs effective_to in the old row"
    )
    both = f"both are {a.kind}s of the same usage from {since}"
    return f"{b.place}: overlaps {a.place}: {both}; {advice}"
