"""Unit economics as a document."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import msgspec

from accountant.money import EXACT, plain, rounded
from accountant.planning.break_even import BreakEven, break_evens
from accountant.planning.columns import EXACT_ELSEWHERE, lower_bound, money_columns, name_columns
from accountant.planning.economics import MonthUnits, Provisioned, Units, top
from accountant.planning.figures import percent
from accountant.planning.sheets import Cell, Column, Document, Sheet
from tollgate.usage.periods import Month

_DENOMINATORS: Final = (
    (
        "Requests: all whose usage is known, undelivered attempts too; none that were refused or "
        "that provisioned throughput served. They are counted by tenant only."
    ),
    (
        "Tokens: input, cached input too, and output, reasoning too; their cost is that of token "
        "meters. Cache hits: cached of input tokens."
    ),
    (
        "Cache saving: cached tokens at the public list price of input less that of cached input. "
        "What the gateway's own cache saved is not known: the ledger does not count it."
    ),
)


class Economics(msgspec.Struct, frozen=True, kw_only=True):
    """What is told of a month's units.

    Args:
        month: The month.
        currency: ISO 4217.
        by: What the units are grouped by.
        units: The month's units.
        top: How many groups are shown; the others are one row.
        ptu_per_hour: What a PTU costs in an hour, for the break-even; None leaves it out.
    """

    month: Month
    currency: str
    by: tuple[str, ...]
    units: MonthUnits
    top: int = 10
    ptu_per_hour: Decimal | None = None

    @property
    def hours(self) -> int:
        """Hours of the month."""
        return len(self.month.hours())


def economics_document(asked: Economics) -> Document:
    """Unit costs of the dearest groups and the others, provisioned throughput, break-even."""
    whole = asked.units.whole()
    return Document(
        kind="economics",
        periods=(str(asked.month),),
        title=f"Unit economics of {asked.month} (UTC), in {asked.currency}",
        currency=asked.currency,
        facts={
            "by": list(asked.by),
            "usage_cost": plain(whole.cost),
            "unattributed_cost": plain(asked.units.unattributed),
            "other_cost": plain(asked.units.other),
            "total": plain(asked.units.total),
            "gateway_cache_saving": None,
        },
        sheets=[_groups(asked, whole), *_provisioned(asked), *_break_even(asked)],
        notes=[
            *_costs(asked, whole),
            *_denominators(whole),
            *lower_bound(sorted(asked.units.left_out.items())),
            EXACT_ELSEWHERE,
        ],
    )


def _groups(asked: Economics, whole: Units) -> Sheet:
    dearest, others = top(asked.units.groups, asked.top)
    nameless = (None,) * len(asked.by)
    costs = ("usage_cost", "per_1000_requests", "per_1m_tokens")
    ratios = ("output_per_input", "cache_hit_percent", "cache_saving")
    return Sheet(
        name="groups",
        columns=[
            Column("row", "text", "row"),
            *name_columns(asked.by),
            Column("groups", "count", "groups"),
            *money_columns(usage_cost="usage cost"),
            Column("requests", "count", "requests"),
            Column("per_1000_requests", "price", "per 1,000\nrequests"),
            Column("tokens", "count", "tokens"),
            Column("per_1m_tokens", "price", "per 1M\ntokens"),
            Column("input_tokens", "count", "input"),
            Column("cached_tokens", "count", "cached"),
            Column("output_tokens", "count", "output"),
            Column("output_per_input", "price", "output\nper input"),
            Column("cache_hit_percent", "percent", "cache\nhits"),
            *money_columns(cache_saving="cache\nsaving"),
        ],
        rows=[("group", *group, *_figures(units, asked.currency)) for group, units in dearest],
        others=others and ("others", *nameless, *_figures(others, asked.currency)),
        total=("total", *nameless, *_figures(whole, asked.currency)),
        tables={
            "": (*asked.by, "groups", costs[0], "requests", costs[1], costs[2]),
            "Tokens": (*asked.by, "input_tokens", "output_tokens", *ratios),
        },
    )


def _figures(units: Units, currency: str) -> Sequence[Cell]:
    return (
        units.groups,
        units.cost,
        units.requests,
        units.cost_per_1000_requests(currency),
        units.tokens,
        units.cost_per_1m_tokens(currency),
        units.input,
        units.cached,
        units.output,
        units.output_per_input,
        units.cache_hit_percent,
        units.saved,
    )


def _provisioned(asked: Economics) -> list[Sheet]:
    found = asked.units.provisioned
    if found == Provisioned():
        return []
    columns = [
        *money_columns(used="used", idle="idle", cost="cost"),
        Column("used_percent", "percent", "used"),
        Column("tokens", "count", "tokens served"),
        Column("per_1m_tokens", "price", "per 1M served"),
    ]
    figures = (found.used, found.idle, found.cost, percent(found.used, found.cost))
    row = (*figures, found.tokens, found.cost_per_1m_tokens(asked.currency))
    tables = {"Provisioned throughput": [column.name for column in columns]}
    return [Sheet(name="provisioned", columns=columns, rows=[row], tables=tables)]


def _break_even(asked: Economics) -> list[Sheet]:
    if asked.ptu_per_hour is None:
        return []
    columns = [
        *name_columns(("model",)),
        *money_columns(cost="token cost"),
        Column("tokens", "count", "tokens"),
        Column("per_1m_tokens", "price", "per 1M"),
        Column("break_even_tokens", "count", "tokens a PTU\nmust serve"),
    ]
    found = break_evens(asked.units.models, asked.ptu_per_hour, asked.hours)
    month = f"{EXACT.multiply(asked.ptu_per_hour, Decimal(asked.hours)):,}"
    heading = (
        f"Break-even: a PTU at {asked.ptu_per_hour} {asked.currency} an hour costs {month} in "
        f"{asked.hours} hours"
    )
    rows = [_break_even_row(each, asked.currency) for each in found]
    tables = {heading: [column.name for column in columns]}
    return [Sheet(name="break_even", columns=columns, rows=rows, tables=tables)]


def _break_even_row(each: BreakEven, currency: str) -> Sequence[Cell]:
    units = each.units
    average = units.cost_per_1m_tokens(currency)
    return (each.model, units.token_cost, units.tokens, average, each.tokens)


def _costs(asked: Economics, whole: Units) -> list[str]:
    """What the total is of, and what of it has no billing code."""
    units = asked.units
    amounts = (whole.cost, units.other, units.total, units.unattributed)
    figures = (rounded(amount, asked.currency) for amount in amounts)
    used, other, every, loose = (f"{figure or abs(figure):,}" for figure in figures)
    part = percent(units.unattributed, whole.cost)
    share = "" if part is None else f" ({plain(part)}% of usage)"
    return [
        (
            f"All charges {every} {asked.currency}: usage {used}, which unit costs are of, and "
            f"other charges {other} (fixed and shared costs, credits, corrections, rounding)."
        ),
        f"Unattributed: usage of {loose}{share} has no billing code.",
    ]


def _denominators(whole: Units) -> list[str]:
    if not whole.unsaved:
        return [*_DENOMINATORS]
    told = f"{whole.unsaved:,} cached tokens have no input price, so no saving is known of them."
    return [*_DENOMINATORS, told]
