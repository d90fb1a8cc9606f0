"""The capture rate: how much of what the provider counts is in the ledger."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from typing import Final, Literal

import msgspec

from accountant.money import EXACT, ZERO
from accountant.reconciliation.differences import Line
from accountant.reconciliation.items import Target, target_order

Unit = Literal["token", "request", "money"]
_UNITS: Final[tuple[Unit, ...]] = ("token", "request", "money")
_DIGITS: Final = Decimal("1E-6")


class Capture(msgspec.Struct, frozen=True, kw_only=True):
    """What both sides have of a deployment, or of all.

    Args:
        target: Backend, deployment and model; None is the total.
        unit: `token`, `request` or `money`.
        ledger: The ledger's sum; whole but for money.
        provider: The provider's sum.
    """

    target: Target | None
    unit: Unit
    ledger: Decimal
    provider: Decimal

    @property
    def rate(self) -> Decimal | None:
        """Ledger by provider, to six digits; 1 only if they are equal. None: nothing to capture."""
        if self.provider <= 0:
            return None
        towards = ROUND_FLOOR if self.ledger < self.provider else ROUND_CEILING
        exact = Context(prec=60, rounding=towards).divide(self.ledger, self.provider)
        return exact.quantize(_DIGITS, towards, Context(prec=60))


def captures(lines: Iterable[Line]) -> list[Capture]:
    """A capture for each deployment and unit that lines have, then those of the total.

    Args:
        lines: Those that are settled.
    """
    sums: defaultdict[tuple[Target | None, Unit], list[Decimal]] = defaultdict(lambda: [ZERO, ZERO])
    for line in lines:
        for unit, ledger, provider in _sides(line):
            for target in (line.item.target, None):
                both = sums[target, unit]
                both[0] = EXACT.add(both[0], ledger)
                both[1] = EXACT.add(both[1], provider)
    return [
        Capture(
            target=target, unit=unit, ledger=sums[target, unit][0], provider=sums[target, unit][1]
        )
        for target, unit in sorted(sums, key=_order)
    ]


def _sides(line: Line) -> Iterator[tuple[Unit, Decimal, Decimal]]:
    yield line.item.unit, Decimal(line.ledger or 0), Decimal(line.provider or 0)
    if line.unexplained_amount is not None:
        yield "money", line.ledger_amount or ZERO, line.provider_amount or ZERO


def _order(key: tuple[Target | None, Unit]) -> tuple[object, ...]:
    target, unit = key
    return (target is None, target_order(target or ()), _UNITS.index(unit))
