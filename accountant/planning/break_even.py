"""From how many tokens a month on provisioned throughput costs no more than pay-as-you-go.

One PTU costs price x hours of the month, whatever it serves. Pay-as-you-go costs what the month's
standard deployments did on average, per token of the model's own mix of input, cached input and
output:

    tokens = price x hours / (token cost / tokens), rounded up

Whether a PTU can serve so many is for the model's throughput to say, which no ledger knows.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from math import ceil

import msgspec

from accountant.lines import name_order
from accountant.planning.economics import Units


class BreakEven(msgspec.Struct, frozen=True, kw_only=True):
    """A model's break-even.

    Args:
        model: The model; None is unknown.
        units: What its standard deployments served, and what that cost.
        tokens: That each PTU must serve in the month.
    """

    model: str | None
    units: Units
    tokens: int


def break_evens(
    models: Mapping[str | None, Units], ptu_per_hour: Decimal, hours: int
) -> list[BreakEven]:
    """The break-even of every model that cost anything, by name.

    Args:
        models: What standard deployments served.
        ptu_per_hour: What a PTU costs in an hour, in the currency of the rates.
        hours: Of the month.
    """
    month = Fraction(ptu_per_hour) * hours
    return [
        BreakEven(
            model=model,
            units=units,
            tokens=ceil(month * units.tokens / Fraction(units.token_cost)),
        )
        for model, units in sorted(models.items(), key=lambda item: name_order(item[0]))
        if units.token_cost > 0
    ]
