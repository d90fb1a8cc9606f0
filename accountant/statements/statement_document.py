"""A tenant's statement in words and tables."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from accountant.labels import label, shown
from accountant.lines import name_order
from accountant.money import plain, total
from accountant.rate_cards.price_rules import words
from accountant.statements import wording
from accountant.statements.document import Cell, Chart, Column, Document, Row, Table
from accountant.statements.entry_tables import entry_tables
from accountant.statements.figures import day, money, month_name
from accountant.statements.tenant_statement import (
    NumberedLine,
    TenantStatement,
    days_of,
    names_of,
)

_LINE: Final = (
    Column("No.", "number"),
    Column("Billing code"),
    Column("Model"),
    Column("Meter"),
    Column("Counted"),
    Column("Quantity", "count"),
    Column("Unit price", "price"),
    Column("Per", "count"),
    Column("Amount", "amount"),
)


def statement_document(statement: TenantStatement) -> Document:
    """Everything that a statement says."""
    report = statement.report
    period, currency = report.period, report.currency
    last = (period.end - timedelta(days=1)).date()
    return Document(
        title=f"Statement for {month_name(period.month)} {period.year}",
        whose=label("tenant", statement.tenant),
        status=report.edition.status,
        currency=currency,
        owed=report.total,
        owed_label="Owed for the month",
        facts=_facts(statement),
        notices=list(_notices(statement)),
        charts=list(_charts(statement)),
        tables=list(_tables(statement)),
        footer=_footer(statement),
        made_for=last,
    )


def _facts(statement: TenantStatement) -> list[tuple[str, str]]:
    edition = statement.report.edition
    counted = day(statement.last_day) if statement.last_day else "nothing counted"
    none = "none, it is a draft" if edition.status == "draft" else "none"
    return [
        ("Statement no.", shown(statement.number) if statement.number else none),
        ("Owed by", label("tenant", statement.tenant)),
        *wording.period_facts(statement.report.period, statement.report.currency, edition),
        ("Last usage counted", counted),
    ]


def _notices(statement: TenantStatement) -> Iterator[str]:
    report = statement.report
    rateless = sum(line.meter is not None for line in report.unpriced)
    yield from wording.missing(rateless, statement.unmetered)
    for provenance in ("estimated", "backfilled"):
        amount = wording.amounts_by_provenance(report.lines).get(provenance)
        if amount is not None:
            words = wording.PROVENANCE_WORDS[provenance]
            yield f"{money(amount, report.currency)} {report.currency} is {words}."
    if statement.unallocated:
        amount = money(statement.unallocated, report.currency)
        yield f"{amount} {report.currency} is for no billing code."


def _charts(statement: TenantStatement) -> Iterator[Chart]:
    """Nothing is drawn of what cost nothing."""
    if not any(statement.by_day.values()):
        return
    currency = statement.report.currency
    yield wording.days_chart(statement.report.period, days_of(statement.by_day), currency)
    for field in ("model", "billing_code"):
        title = f"Usage by {field.replace('_', ' ')}, {currency}"
        yield Chart(title=title, bars=wording.bars(names_of(statement.by_day, field), field))


def _tables(statement: TenantStatement) -> Iterator[Table]:
    """Those that have rows; what adds up to the total comes first."""
    report = statement.report
    yield _codes_table(statement)
    if statement.lines:
        yield _lines_table(statement)
    if statement.converted:
        yield _exchange_table(statement)
    yield from entry_tables(statement)
    if report.unpriced:
        yield wording.unpriced_table(report.unpriced)
    if report.requests:
        amounts = wording.amounts_by_provenance(report.lines)
        yield wording.coverage_table(report.coverage, amounts)
    if report.edition.waivers:
        yield wording.waivers_table(report.edition.waivers)
    if statement.by_day:
        yield _days_table(statement)


def _codes_table(statement: TenantStatement) -> Table:
    """What each billing code comes to, then the rounding, then the total."""
    parts = [
        (Column("Usage", "amount"), [each.usage for each in statement.by_code]),
        (Column("Shared costs", "amount"), [each.shared for each in statement.by_code]),
        (Column("Credits and other", "amount"), [each.other for each in statement.by_code]),
        (Column("Corrections", "amount"), [each.corrections for each in statement.by_code]),
    ]
    kept = [(column, amounts) for column, amounts in parts if any(amounts)]
    kept = kept if len(kept) > 1 else []
    rows = [
        Row(
            (
                label("billing_code", each.billing_code),
                *(amounts[place] for _, amounts in kept),
                each.amount,
            )
        )
        for place, each in enumerate(statement.by_code)
    ]
    gap = (None,) * len(kept)
    rounding = Row(("Rounding to the smallest unit", *gap, statement.report.rounding))
    owed = Row(("Total", *gap, statement.report.total), strong=True)
    return Table(
        title="What the total is made of",
        sheet="Statement",
        columns=[
            Column("Billing code"),
            *(column for column, _ in kept),
            Column("Amount", "amount"),
        ],
        rows=[*rows, rounding, owed],
        note="Amounts are exact; the statement is rounded half-up, once.",
    )


def _lines_table(statement: TenantStatement) -> Table:
    adjusted = any(each.line.adjustments for each in statement.lines)
    exact = total(each.amount for each in statement.lines)
    gap = (None,) * (len(_LINE) - 3)
    more = (None,) if adjusted else ()
    return Table(
        title="Usage",
        sheet="Usage",
        columns=[*_LINE, Column("Price made of")] if adjusted else _LINE,
        rows=[
            *(Row(_line(each, adjusted=adjusted)) for each in statement.lines),
            Row((None, "Sum of usage", *gap, exact, *more), strong=True),
        ],
        note="Unit prices are for so many units as the column Per says.",
    )


def _line(numbered: NumberedLine, *, adjusted: bool) -> tuple[Cell, ...]:
    line = numbered.line
    made_of = None
    if line.list_price is not None:
        made_of = shown(f"list {plain(line.list_price)}, {words(line.adjustments)}")
    return (
        numbered.number,
        label("billing_code", numbered.billing_code),
        label("model", line.group[2]),
        wording.meter_words(line.meter, line.unit),
        line.provenance,
        line.quantity,
        line.unit_price,
        line.per,
        line.amount,
        *([made_of] if adjusted else []),
    )


def _exchange_table(statement: TenantStatement) -> Table:
    return Table(
        title="Exchange rates of usage",
        sheet="Exchange rates",
        columns=[
            Column("First day", "date"),
            Column("Last day", "date"),
            Column("From"),
            Column("To"),
            Column("Rate", "price"),
            Column("Source"),
        ],
        rows=[
            Row(
                (
                    each.first,
                    each.last,
                    each.currency,
                    statement.report.currency,
                    each.rate,
                    shown(each.source),
                )
            )
            for each in statement.converted
        ],
        note="Days of usage; unit prices above are the rate card's times the rate of the day.",
    )


def _days_table(statement: TenantStatement) -> Table:
    amounts = statement.by_day
    ordered = sorted(amounts, key=lambda key: (key[0], name_order(key[1]), name_order(key[2])))
    return Table(
        title="Usage by day",
        sheet="By day",
        columns=[
            Column("Day (UTC)", "date"),
            Column("Billing code"),
            Column("Model"),
            Column("Amount", "amount"),
        ],
        rows=[
            Row((key[0], label("billing_code", key[1]), label("model", key[2]), amounts[key]))
            for key in ordered
        ],
        detail=True,
    )


def _footer(statement: TenantStatement) -> list[str]:
    report = statement.report
    lines = [
        wording.NOT_AN_INVOICE,
        f"SHA-256 of the content: {statement.digest}",
    ]
    if report.edition.digest:
        lines.append(f"SHA-256 of the closed month: {report.edition.digest}")
    return lines
