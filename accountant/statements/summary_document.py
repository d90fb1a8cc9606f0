"""The month's summary in words and tables: every statement, and what they add up to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Final

from accountant.labels import label, shown
from accountant.money import EXACT, total
from accountant.statements import wording
from accountant.statements.document import Cell, Chart, Column, Document, Row, Table
from accountant.statements.figures import day, money, month_name, percent
from accountant.statements.summary import StatementTotal, Summary, share_measured

_AMOUNTS: Final = 6


def summary_document(summary: Summary) -> Document:
    """Everything that the summary says."""
    period = summary.period
    return Document(
        title=f"Chargeback for {month_name(period.month)} {period.year}",
        whose="All tenants",
        status=summary.edition.status,
        currency=summary.currency,
        owed=summary.total,
        owed_label="Total of the statements",
        facts=_facts(summary),
        notices=list(wording.missing(len(summary.unpriced), summary.unmetered)),
        charts=list(_charts(summary)),
        tables=list(_tables(summary)),
        footer=[
            wording.NOT_AN_INVOICE,
            f"SHA-256 of the statements' digests, a line each: {summary.digest}",
        ],
        made_for=(period.end - timedelta(days=1)).date(),
    )


def _facts(summary: Summary) -> list[tuple[str, str]]:
    measured, used = share_measured(summary.coverage)
    allocated = percent(EXACT.subtract(summary.exact, summary.unallocated), summary.exact)
    counted = percent(Decimal(measured), Decimal(used))
    rounding = money(EXACT.subtract(summary.total, summary.exact), summary.currency)
    return [
        ("Statements", f"{len(summary.statements):,}"),
        *wording.period_facts(summary.period, summary.currency, summary.edition),
        ("Last usage counted", day(summary.last_day) if summary.last_day else "nothing counted"),
        ("Allocated to a billing code", _share(allocated, "of the exact amount")),
        ("Counted by the provider", _share(counted, "of the requests that used anything")),
        ("Rounding of the statements", f"{rounding} {summary.currency}"),
    ]


def _share(share: Decimal | None, of: str) -> str:
    return "n/a" if share is None else f"{share}% {of}"


def _charts(summary: Summary) -> Iterator[Chart]:
    """Nothing is drawn of what cost nothing."""
    if any(summary.by_model.values()):
        yield wording.days_chart(summary.period, summary.by_day, summary.currency)
        title = f"Usage by model, {summary.currency}"
        yield Chart(title=title, bars=wording.bars(summary.by_model, "model"))
    if any(each.total for each in summary.statements):
        owed: dict[str | None, Decimal] = {each.tenant: each.total for each in summary.statements}
        title = f"Largest statements, {summary.currency}"
        yield Chart(title=title, bars=wording.bars(owed, "tenant"))


def _tables(summary: Summary) -> Iterator[Table]:
    yield _statements_table(summary)
    if summary.unpriced:
        yield wording.unpriced_table(summary.unpriced, "tenant")
    if any(summary.coverage.values()):
        yield wording.coverage_table(summary.coverage, {})
    if summary.edition.waivers:
        yield wording.waivers_table(summary.edition.waivers)


def _statements_table(summary: Summary) -> Table:
    """Exact amounts by kind, the rounding, and the total, of each and of all."""
    columns = [
        *(Column("Statement of"), Column("No."), Column("Usage", "amount")),
        *(Column("Shared costs", "amount"), Column("Credits and other", "amount")),
        *(Column("Corrections", "amount"), Column("Rounding", "amount")),
        *(Column("Total", "amount"), Column("Unpriced lines", "count")),
        Column("Requests without a count", "count"),
    ]
    statements = summary.statements
    sums = [_amounts(each) for each in statements]
    foot = (
        *("Total", None, *(total(each[place] for each in sums) for place in range(_AMOUNTS))),
        *(sum(each.unpriced for each in statements), summary.unmetered),
    )
    return Table(
        title="Statements",
        sheet="Statements",
        columns=columns,
        rows=[*(Row(_row(each)) for each in statements), Row(foot, strong=True)],
        note="Exact amounts; each statement is rounded half-up, once, and the total is their sum.",
    )


def _row(each: StatementTotal) -> tuple[Cell, ...]:
    number = shown(each.number) if each.number else None
    whose = label("tenant", each.tenant)
    return (whose, number, *_amounts(each), each.unpriced, each.unmetered)


def _amounts(each: StatementTotal) -> tuple[Decimal, ...]:
    sums = each.sums
    return (sums.usage, sums.shared, sums.other, sums.corrections, each.rounding, each.total)
