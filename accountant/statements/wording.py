"""What statement and summary say alike: the state of the books, what is missing, who says so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

from accountant.edition import Edition, Waiver
from accountant.labels import label, shown
from accountant.lines import Line, UnpricedLine
from accountant.money import EXACT, ZERO, total
from accountant.statements import figures
from accountant.statements.document import Bar, Cell, Chart, Column, Row, Table
from tollgate.usage.periods import Month

NOT_AN_INVOICE: Final = "Internal charge, not a tax invoice."
_STATUS: Final = {
    "draft": "Draft: it follows the ledger and changes until the month is closed",
    "closed": "Closed: it never changes; what comes later is corrected on later statements",
    "restated": "Restated: it is closed, and later statements correct it",
}
PROVENANCE_WORDS: Final = {
    "measured": "counted by the provider, as the client asked",
    "injected": "counted by the provider, as the gateway asked",
    "estimated": "estimated: the provider gave no count",
    "backfilled": "counted later, from the provider's logs",
    "pending": "not counted yet",
    "unknown": "the count is lost",
    "none": "nothing to be charged",
}
_MOST_BARS: Final = 8


def period_facts(period: Month, currency: str, edition: Edition) -> list[tuple[str, str]]:
    """Which month in which books."""
    first, last = period.start.date(), (period.end - timedelta(days=1)).date()
    facts = [
        ("Period", f"{figures.day(first)} to {figures.day(last)}, whole days"),
        ("Time zone", "UTC"),
        ("Currency", currency),
        ("Status", _STATUS[edition.status]),
        ("Rate card", edition.rate_card or "not known"),
    ]
    if edition.costs:
        facts.append(("Costs file", edition.costs))
    if edition.closed_on:
        facts.append(("Closed on", f"{figures.day(edition.closed_on)} (UTC)"))
    if edition.restated_by:
        facts.append(("Restated by", ", ".join(edition.restated_by)))
    return facts


def missing(unpriced: int, unmetered: int) -> Iterator[str]:
    """What is not in the total, a sentence each.

    Args:
        unpriced: Lines without a rate.
        unmetered: Requests without a count.
    """
    if unpriced:
        lines = "line of usage has" if unpriced == 1 else "lines of usage have"
        yield f"Not in the total: {unpriced:,} {lines} no rate."
    if unmetered:
        requests = "request has" if unmetered == 1 else "requests have"
        yield f"Not in the total: {unmetered:,} {requests} no count."


def coverage_table(coverage: Mapping[str, int], amounts: Mapping[str, Decimal]) -> Table:
    """How the month's requests were counted.

    Args:
        coverage: Requests by provenance.
        amounts: What they cost exactly, by provenance; empty leaves them out.
    """
    whole = Decimal(sum(coverage.values()))
    columns = [
        Column("Counted"),
        Column("That is"),
        Column("Requests", "count"),
        Column("Share", "percent"),
        *([Column("Amount", "amount")] if amounts else []),
    ]
    rows = [
        Row(
            (
                name,
                PROVENANCE_WORDS[name],
                count,
                figures.percent(Decimal(count), whole),
                *([amounts.get(name)] if amounts else []),
            )
        )
        for name, count in coverage.items()
        if count
    ]
    title = "How the requests were counted"
    return Table(title=title, sheet="Coverage", columns=columns, rows=rows)


def waivers_table(waivers: Sequence[Waiver]) -> Table:
    """What was let pass at the close."""
    return Table(
        title="Let pass at the close",
        sheet="Waivers",
        columns=[Column("What"), Column("Why"), Column("By whom")],
        rows=[Row((shown(each.what), shown(each.reason), shown(each.by))) for each in waivers],
    )


def bars(amounts: Mapping[str | None, Decimal], field: str) -> list[Bar]:
    """The largest amounts, then the others as one, so that the bars add up to the whole."""
    ordered = sorted(amounts, key=lambda name: (-amounts[name], name is None, name or ""))
    kept = ordered if len(ordered) <= _MOST_BARS else ordered[: _MOST_BARS - 1]
    others = ordered[len(kept) :]
    made = [Bar(label(field, name), amounts[name]) for name in kept]
    if others:
        made.append(
            Bar(f"{len(others):,} others", total(amounts[name] for name in others), others=True)
        )
    return made


def days_chart(period: Month, amounts: Mapping[date, Decimal], currency: str) -> Chart:
    """A bar for every day of the month, also for those without usage."""
    days = [date.fromisoformat(text) for text in period.days()]
    made = [Bar(str(day.day), amounts.get(day, ZERO)) for day in days]
    return Chart(title=f"Usage by day (UTC), {currency}", bars=made, upright=True)


def amounts_by_provenance(lines: Iterable[Line]) -> dict[str, Decimal]:
    """What lines cost exactly, by where their counts are from."""
    sums: dict[str, Decimal] = {}
    for line in lines:
        sums[line.provenance] = EXACT.add(sums.get(line.provenance, ZERO), line.amount)
    return sums


def unpriced_table(lines: Sequence[UnpricedLine], first: str = "billing_code") -> Table:
    """Usage that is in no total, and which rate it wants.

    Args:
        lines: Grouped by tenant, billing code and model.
        first: The field that leads a row: `billing_code`, or `tenant` with the code behind it.
    """
    whose = first == "tenant"
    columns = [
        *([Column("Tenant")] if whose else []),
        Column("Billing code"),
        Column("Model"),
        Column("Meter"),
        Column("Counted"),
        Column("Quantity", "count"),
        Column("Requests", "count"),
        Column("Wanted: a rate for"),
    ]
    return Table(
        title="Not in the total",
        sheet="Not in the total",
        columns=columns,
        rows=[Row(_unpriced(line, whose=whose)) for line in lines],
        note="No rate holds for it, or it has no count; it is never charged as zero.",
    )


def _unpriced(line: UnpricedLine, *, whose: bool) -> tuple[Cell, ...]:
    tenant, code, model = line.group
    wanted = "" if line.rate_for is None else _rate_for(line.rate_for)
    return (
        *([label("tenant", tenant)] if whose else []),
        label("billing_code", code),
        label("model", model),
        meter_words(line.meter, line.unit),
        line.provenance,
        line.quantity,
        line.requests,
        wanted or "nothing: the count is missing",
    )


def _rate_for(values: Mapping[str, str | None]) -> str:
    return shown(
        ", ".join(value or f"unknown {key.replace('_', ' ')}" for key, value in values.items())
    )


def meter_words(meter: str | None, unit: str | None) -> str:
    """A meter in words."""
    if meter is None:
        return "not known"
    return shown(meter.replace("_", " ") + (" tokens" if unit == "token" else ""))
