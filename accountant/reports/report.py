"""The month's chargeback: charges in groups, statements, and what is missing from them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec

from accountant.charges import Cell, Charge, Consumption, Price, Uncharged
from accountant.edition import DRAFT, Edition
from accountant.lines import (
    PROVENANCES,
    UNCOUNTED,
    Line,
    UnpricedLine,
    line_order,
    name_order,
    unpriced_order,
)
from accountant.meters import unit_of
from accountant.money import EXACT, amount_of, total
from accountant.rate_cards.rate_card import MATCH_FIELDS, RateCard, matched_values
from accountant.reports.totals import total_by
from accountant.statement import Statement, grand_total, statement
from accountant.usage_charges import Spans, charges_of_sums, counted
from tollgate.ledger.cell_sums import cell_sums
from tollgate.usage.periods import Month
from tollgate.usage.sku import Sku

GROUPS: Final = ("tenant", "billing_code", "model", "user", "region")

_PRICE: Final = ("unit_price", "per", "list_price", "adjustments")
_TOLD: Final = ("meter", "provenance")
_WANTED: Final = tuple(
    f"rate_{field}" for field in ("model", *MATCH_FIELDS) if field != "provenance"
)


class MonthFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a report says beside its charges.

    Args:
        period: The month, in UTC.
        currency: ISO 4217, that of the charges.
        requests: Requests by tenant and provenance; whole once the charges are read.
        edition: Which state of the books it is.
    """

    period: Month
    currency: str
    requests: Mapping[tuple[str, str], int]
    edition: Edition = DRAFT


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A month's chargeback, in one stable order whatever the order of the charges.

    Args:
        period: The month, in UTC.
        currency: ISO 4217, that of the books.
        by: The names that lines are grouped by.
        lines: What is metered and priced.
        entries: What else is owed: parts of shared amounts, corrections of earlier months,
            credits, adjustments.
        unpriced: What is not: no rate holds for it, or its usage is not known.
        coverage: Requests by provenance.
        statements: One a tenant, by name.
        rounding: The total less the exact lines and entries.
        total: The sum of the statements.
        edition: Which state of the books it is.
    """

    period: Month
    currency: str
    by: tuple[str, ...]
    lines: list[Line]
    entries: list[Charge]
    unpriced: list[UnpricedLine]
    coverage: dict[str, int]
    statements: list[Statement]
    rounding: Decimal
    total: Decimal
    edition: Edition = DRAFT

    @property
    def requests(self) -> int:
        """All requests of the month, also those without a count."""
        return sum(self.coverage.values())


def month_report(period: Month, by: Sequence[str], cells: Iterable[Cell], card: RateCard) -> Report:
    """Price a month's cells and group them.

    Args:
        period: The month that the cells are of.
        by: Some of `GROUPS`; `user` needs user cells.
        cells: The ledger's cells, in its order.
        card: The rates.
    """
    requests = Counter[tuple[str, str]]()
    edition = Edition(rate_card=card.version)
    facts = MonthFacts(period=period, currency=card.currency, requests=requests, edition=edition)
    starts = card.starts_in(period)
    sums = counted(cell_sums(cells, starts), requests)
    return charge_report(facts, by, charges_of_sums(Spans(period, starts), sums, card))


def charge_report(
    facts: MonthFacts, by: Sequence[str], charges: Iterable[Charge | Uncharged]
) -> Report:
    """Group a month's charges.

    Args:
        facts: Of the month.
        by: Some of `GROUPS`.
        charges: In any order; the rounding of statements is worked out anew.
    """
    entries: list[Charge] = []
    keys = _once("tenant", *by, *_TOLD, *_PRICE, *_WANTED)
    rows = total_by(_rows(charges, entries), keys)
    priced = [row for row in rows if row["unit_price"] is not None]
    unpriced = [row for row in rows if row["unit_price"] is None]
    lines = sorted((_line(row, by) for row in _regrouped(priced, by, _PRICE)), key=line_order)
    statements = _statements(facts, (priced, entries), unpriced)
    grand = grand_total(statements, facts.currency)
    amounts = (each.amount for each in (*lines, *entries))
    return Report(
        period=facts.period,
        currency=facts.currency,
        by=tuple(by),
        lines=lines,
        entries=sorted(entries, key=_entry_order),
        unpriced=sorted(
            (_unpriced(row, by) for row in _regrouped(unpriced, by, _WANTED)), key=unpriced_order
        ),
        coverage=_coverage(facts.requests),
        statements=statements,
        rounding=EXACT.subtract(grand, total(amounts)),
        total=grand,
        edition=facts.edition,
    )


def _rows(charges: Iterable[Charge | Uncharged], entries: list[Charge]) -> Iterator[dict[str, Any]]:
    """What is metered, priced or not; what else is owed goes to the entries."""
    for each in charges:
        if isinstance(each, Uncharged):
            yield _uncharged_row(each)
        elif metered := each.metered:
            yield _row(each, *metered)
        elif each.category != "Rounding":
            entries.append(each)


def _row(charge: Charge, consumed: Consumption, price: Price) -> dict[str, Any]:
    listed = price.listed if price.adjustments else None
    return {
        **_names(charge, consumed.sku),
        **dict.fromkeys(_WANTED),
        "meter": consumed.meter,
        "unit_price": price.charged,
        "per": price.per,
        "list_price": listed,
        "adjustments": price.adjustments or None,
        "quantity": consumed.quantity,
        "requests": consumed.requests,
    }


def _uncharged_row(used: Uncharged) -> dict[str, Any]:
    """No meter says that the quantity is not known; 0 is only there to be summed."""
    consumed = used.consumed
    wanted = matched_values(used.sku) if consumed else {}
    return {
        **_names(used, used.sku),
        **dict.fromkeys(_PRICE),
        **{key: wanted.get(key.removeprefix("rate_")) for key in _WANTED},
        "meter": consumed.meter if consumed else None,
        "quantity": consumed.quantity if consumed else 0,
        "requests": used.requests,
    }


def _names(used: Charge | Uncharged, sku: Sku) -> dict[str, Any]:
    return {
        "tenant": used.tenant,
        "billing_code": used.billing_code,
        "model": sku.model,
        "user": used.user,
        "region": sku.region,
        "provenance": sku.provenance,
    }


def _entry_order(charge: Charge) -> tuple[object, ...]:
    """By tenant, what kind it is of, billing code, what it says, and its days."""
    shared = charge.allocation.cost if charge.allocation else ""
    kind = (charge.correction is not None, charge.category, shared)
    said = (charge.description, charge.start, charge.end, charge.amount)
    return (charge.tenant, kind, name_order(charge.billing_code), *said)


def _once(*names: str) -> list[str]:
    return list(dict.fromkeys(names))


def _regrouped(
    rows: Sequence[Mapping[str, Any]], by: Sequence[str], more: Sequence[str]
) -> list[dict[str, Any]]:
    """Rows that have the tenant among their keys, grouped by what was asked for."""
    return total_by(rows, [*by, *_TOLD, *more])


def _line(row: Mapping[str, Any], by: Sequence[str]) -> Line:
    return Line(
        group=tuple(row[name] for name in by),
        meter=row["meter"],
        provenance=row["provenance"],
        quantity=row["quantity"],
        unit=unit_of(row["meter"]),
        unit_price=row["unit_price"],
        per=row["per"],
        amount=_amount(row),
        requests=row["requests"],
        list_price=row["list_price"],
        adjustments=row["adjustments"] or (),
    )


def _unpriced(row: Mapping[str, Any], by: Sequence[str]) -> UnpricedLine:
    meter = row["meter"]
    counted = meter is not None
    return UnpricedLine(
        group=tuple(row[name] for name in by),
        meter=meter,
        provenance=row["provenance"],
        quantity=row["quantity"] if counted else None,
        unit=unit_of(meter) if counted else None,
        requests=row["requests"],
        rate_for={key.removeprefix("rate_"): row[key] for key in _WANTED} if counted else None,
    )


def _amount(row: Mapping[str, Any]) -> Decimal:
    return amount_of(row["quantity"], row["unit_price"], row["per"])


def _statements(
    facts: MonthFacts,
    owed: tuple[Sequence[Mapping[str, Any]], Sequence[Charge]],
    unpriced: Sequence[Mapping[str, Any]],
) -> list[Statement]:
    """One for every tenant that had a request or owes anything, even if nothing is priced."""
    priced, entries = owed
    amounts: dict[str, list[Decimal]] = defaultdict(list)
    for row in priced:
        amounts[row["tenant"]].append(_amount(row))
    for entry in entries:
        amounts[entry.tenant].append(entry.amount)
    missing = Counter(row["tenant"] for row in unpriced)
    unmetered = Counter[str]()
    for (tenant, provenance), count in facts.requests.items():
        unmetered[tenant] += count if provenance in UNCOUNTED else 0
    return [
        msgspec.structs.replace(
            statement(tenant, amounts[tenant], facts.currency, missing[tenant]),
            unmetered=unmetered[tenant],
        )
        for tenant in sorted({*unmetered, *amounts, *missing})
    ]


def _coverage(requests: Mapping[tuple[str, str], int]) -> dict[str, int]:
    counts = Counter[str]()
    for (_, provenance), count in requests.items():
        counts[provenance] += count
    return {provenance: counts[provenance] for provenance in PROVENANCES}
