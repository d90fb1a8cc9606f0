"""Unit economics: what a request and a million tokens cost, and what prompt caching saved."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Final

import msgspec

from accountant.charges import Charge, Consumption, Uncharged
from accountant.lines import UNCOUNTED, name_order
from accountant.meters import TOKEN_METERS
from accountant.money import EXACT, ZERO, total
from accountant.planning.charged_usage import usage_of, why_left_out
from accountant.planning.figures import half_up, percent, unit_cost
from accountant.rate_cards.rate_card import Rate
from tollgate.usage.sku import Sku

GROUPS: Final = ("tenant", "billing_code", "model")
_OUTPUT: Final = frozenset({"output", "audio_output", "image_output"})
# The meter whose price a cached token would else have had.
_UNCACHED: Final = {
    "cached_input": "input",
    "cached_audio_input": "audio_input",
    "cached_image_input": "image_input",
}
_WITHOUT_USAGE: Final = UNCOUNTED | {"none"}
PROVISIONED: Final = "provisioned"
_MILLION: Final = 1_000_000
_RATIO_UNIT: Final = Decimal("0.0001")

Group = tuple[str | None, ...]
ListPrice = Callable[[Sku, str, date], Rate | None]


class Units(msgspec.Struct, kw_only=True):
    """What a group used of what is charged by use, and what that cost; sums of charges.

    Args:
        groups: How many groups it stands for.
        cost: Of all usage.
        token_cost: Of its tokens.
        input: Tokens of prompts, cached ones too.
        cached: Of these, cached ones.
        output: Tokens of answers, reasoning too.
        saved: What the cached ones would have cost more by the public list.
        unsaved: Cached tokens without an input price to compare with.
        requests: Requests with known usage; None is not counted by such groups.
    """

    groups: int = 1
    cost: Decimal = ZERO
    token_cost: Decimal = ZERO
    input: int = 0
    cached: int = 0
    output: int = 0
    saved: Decimal = ZERO
    unsaved: int = 0
    requests: int | None = None

    @property
    def tokens(self) -> int:
        """Input and output."""
        return self.input + self.output

    def cost_per_1000_requests(self, currency: str) -> Decimal | None:
        """The cost of all usage; None is without requests, or without their count."""
        return (
            None if self.requests is None else unit_cost(self.cost, self.requests, 1000, currency)
        )

    def cost_per_1m_tokens(self, currency: str) -> Decimal | None:
        """The cost of tokens by input and output together; None is without tokens."""
        return unit_cost(self.token_cost, self.tokens, _MILLION, currency)

    @property
    def output_per_input(self) -> Decimal | None:
        """Output tokens for each of input; None is without input."""
        return half_up(Fraction(self.output, self.input), _RATIO_UNIT) if self.input else None

    @property
    def cache_hit_percent(self) -> Decimal | None:
        """Cached tokens of input; None is without input."""
        return percent(self.cached, self.input)


class Provisioned(msgspec.Struct, kw_only=True):
    """What provisioned throughput cost, and what it served.

    Args:
        used: The shares of those who used it.
        idle: What nobody used, on whomever it is charged.
        tokens: Input and output tokens that it served, cached ones too.
    """

    used: Decimal = ZERO
    idle: Decimal = ZERO
    tokens: int = 0

    @property
    def cost(self) -> Decimal:
        """Used and idle."""
        return EXACT.add(self.used, self.idle)

    def cost_per_1m_tokens(self, currency: str) -> Decimal | None:
        """The whole cost by what was served: idle hours make each token dearer."""
        return unit_cost(self.cost, self.tokens, _MILLION, currency)


class MonthUnits:
    """A month's units by group, summed from its charges in any order.

    Args:
        by: Some of `GROUPS`.
        list_price: The public price of a SKU's meter on a day.

    Attributes:
        groups: Usage by group.
        models: Usage of standard deployments by model.
        provisioned: Provisioned throughput.
        requests: Requests with known usage that is charged by use, of all tenants.
        unattributed: The part of usage that has no billing code.
        other: What is no usage: fixed and shared costs, credits, corrections, rounding.
        total: All charges, which is the report's total.
        left_out: Lines of usage that are in no charge, by tenant and why.
    """

    def __init__(self, by: Sequence[str], list_price: ListPrice) -> None:
        self.groups: dict[Group, Units] = {}
        self.models: dict[str | None, Units] = {}
        self.provisioned = Provisioned()
        self.requests = 0
        self.unattributed = ZERO
        self.other = ZERO
        self.total = ZERO
        self.left_out: dict[str, Counter[str]] = defaultdict(Counter)
        self._payers: set[str] = set()
        self._served = Counter[str]()  # requests by provisioned throughput
        self._by = tuple(by)
        self._list_price = list_price

    def add(self, each: Charge | Uncharged) -> None:
        """Count what the month charges, or does not."""
        if isinstance(each, Uncharged):
            self.left_out[each.tenant][why_left_out(each)] += 1
            return
        self.total = EXACT.add(self.total, each.amount)
        if found := usage_of(each):
            self._use(each, found[0])
        else:
            self._owe(each)

    def count_requests(self, requests: Mapping[tuple[str, str], int]) -> None:
        """Add requests, when all charges are added.

        Args:
            requests: By tenant and provenance. In no denominator are those without usage, those
                that provisioned throughput served, and those of a tenant without usage charges.
        """
        known = Counter[str]()
        for (tenant, provenance), count in requests.items():
            known[tenant] += 0 if provenance in _WITHOUT_USAGE else count
        for tenant in self._payers:
            count = known[tenant] - self._served[tenant]
            self.requests += count
            if self._by == ("tenant",):
                self.groups[tenant,].requests = count

    def whole(self) -> Units:
        """All groups together."""
        found = added([*self.groups.values()])
        found.requests = self.requests
        return found

    def _use(self, charge: Charge, consumed: Consumption) -> None:
        if charge.billing_code is None:
            self.unattributed = EXACT.add(self.unattributed, charge.amount)
        names = {
            "tenant": charge.tenant,
            "billing_code": charge.billing_code,
            "model": consumed.sku.model,
        }
        self._payers.add(charge.tenant)
        group = tuple(names[field] for field in self._by)
        into = [self.groups.setdefault(group, Units())]
        if consumed.sku.deployment_type != PROVISIONED:
            into.append(self.models.setdefault(consumed.sku.model, Units()))
        for units in into:
            units.cost = EXACT.add(units.cost, charge.amount)
            if consumed.meter in TOKEN_METERS:
                units.token_cost = EXACT.add(units.token_cost, charge.amount)
                self._count(units, charge, consumed)

    def _count(self, units: Units, charge: Charge, consumed: Consumption) -> None:
        if consumed.meter in _OUTPUT:
            units.output += consumed.quantity
            return
        units.input += consumed.quantity
        if consumed.meter in _UNCACHED:
            units.cached += consumed.quantity
            self._save(units, charge, consumed)

    def _save(self, units: Units, charge: Charge, consumed: Consumption) -> None:
        full = self._list_price(consumed.sku, _UNCACHED[consumed.meter], charge.start)
        if full is None or charge.price is None:
            units.unsaved += consumed.quantity
            return
        less = EXACT.subtract(
            EXACT.divide(full.unit_price, Decimal(full.per)),
            EXACT.divide(charge.price.listed, Decimal(charge.price.per)),
        )
        units.saved = EXACT.add(units.saved, EXACT.multiply(less, Decimal(consumed.quantity)))

    def _owe(self, charge: Charge) -> None:
        self.other = EXACT.add(self.other, charge.amount)
        shared, ptu = charge.allocation, self.provisioned
        if shared is None:
            return
        if shared.method == "used":
            ptu.used = EXACT.add(ptu.used, charge.amount)
            ptu.tokens += sum(count for meter, count in shared.tokens if meter in TOKEN_METERS)
            self._served[charge.tenant] += shared.requests
        elif shared.method == "idle":
            ptu.idle = EXACT.add(ptu.idle, charge.amount)


def added(units: Sequence[Units]) -> Units:
    """The sum of several groups; requests are not known if those of one are not."""
    requests = [each.requests for each in units]
    return Units(
        groups=sum(each.groups for each in units),
        cost=total(each.cost for each in units),
        token_cost=total(each.token_cost for each in units),
        input=sum(each.input for each in units),
        cached=sum(each.cached for each in units),
        output=sum(each.output for each in units),
        saved=total(each.saved for each in units),
        unsaved=sum(each.unsaved for each in units),
        requests=None if None in requests else sum(each or 0 for each in requests),
    )


def top(groups: dict[Group, Units], most: int) -> tuple[list[tuple[Group, Units]], Units | None]:
    """The dearest groups, and all others together; None is that there are no others."""
    ranked = sorted(groups.items(), key=lambda item: (-item[1].cost, _order(item[0])))
    rest = [units for _, units in ranked[most:]]
    return ranked[:most], added(rest) if rest else None


def _order(group: Group) -> tuple[object, ...]:
    return tuple(map(name_order, group))
