"""The month's chargeback: rated cells in groups, statements, and what is missing from them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec

from accountant.errors import NoSuchTenant
from accountant.lines import (
    PROVENANCES,
    UNCOUNTED,
    Line,
    UnpricedLine,
    line_order,
    unpriced_order,
)
from accountant.money import EXACT, amount_of, total
from accountant.rate_cards.rate_card import MATCH_FIELDS, RateCard, matched_values
from accountant.rating import RatedLine, rate_cells, unit_of
from accountant.reports.frames import total_by
from accountant.statement import Statement, grand_total, statement
from tollgate.ledger.cells import LedgerReader, MoneyCell, UserCell
from tollgate.usage.periods import Month

GROUPS: Final = ("tenant", "billing_code", "model", "user", "region")

_PRICE: Final = ("unit_price", "per", "list_price", "adjustments")
_TOLD: Final = ("meter", "provenance")
_WANTED: Final = tuple(
    f"rate_{field}" for field in ("model", *MATCH_FIELDS) if field != "provenance"
)


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A month's chargeback, in one stable order whatever the order of the cells.

    Args:
        period: The month, in UTC.
        currency: ISO 4217, that of the rate card.
        by: The names that lines are grouped by.
        lines: What is priced.
        unpriced: What is not: no rate holds for it, or its usage is not known.
        coverage: Requests by provenance.
        statements: One a tenant, by name.
        rounding: The total less the exact lines.
        total: The sum of the statements.
    """

    period: Month
    currency: str
    by: tuple[str, ...]
    lines: list[Line]
    unpriced: list[UnpricedLine]
    coverage: dict[str, int]
    statements: list[Statement]
    rounding: Decimal
    total: Decimal

    @property
    def requests(self) -> int:
        """All requests of the month, also those without a count."""
        return sum(self.coverage.values())


def month_report(
    period: Month,
    by: Sequence[str],
    cells: Iterable[MoneyCell | UserCell],
    card: RateCard,
) -> Report:
    """Price a month and group it.

    Args:
        period: The month that the cells are of.
        by: Some of `GROUPS`; `user` needs user cells.
        cells: The ledger's cells, in any order.
        card: The rates.
    """
    requests: Counter[tuple[str, str]] = Counter()
    keys = _once("tenant", *by, *_TOLD, *_PRICE, *_WANTED)
    rows = total_by(_rows(cells, requests, card), keys)
    priced = [row for row in rows if row["unit_price"] is not None]
    unpriced = [row for row in rows if row["unit_price"] is None]
    lines = sorted((_line(row, by) for row in _regrouped(priced, by, _PRICE)), key=line_order)
    statements = _statements(requests, priced, unpriced, card.currency)
    grand = grand_total(statements, card.currency)
    return Report(
        period=period,
        currency=card.currency,
        by=tuple(by),
        lines=lines,
        unpriced=sorted(
            (_unpriced(row, by) for row in _regrouped(unpriced, by, _WANTED)), key=unpriced_order
        ),
        coverage=_coverage(requests),
        statements=statements,
        rounding=EXACT.subtract(grand, total(line.amount for line in lines)),
        total=grand,
    )


def month_cells(
    ledger: LedgerReader, period: Month, by: Sequence[str], tenant: str | None
) -> Iterator[MoneyCell | UserCell]:
    """The cells that a report needs: user cells only if it groups by user.

    Args:
        ledger: Where to read.
        period: The month.
        by: Some of `GROUPS`.
        tenant: Whose; None is everyone's.

    Raises:
        NoSuchTenant: The ledger has never seen the tenant.
    """
    if tenant is not None and tenant not in ledger.tenants():
        raise NoSuchTenant(f"no tenant {tenant!r} in the ledger")
    cells = ledger.user_cells(period) if "user" in by else ledger.money_cells(period)
    return (cell for cell in cells if tenant in (None, cell.tenant))


def _rows(
    cells: Iterable[MoneyCell | UserCell], requests: Counter[tuple[str, str]], card: RateCard
) -> Iterator[dict[str, Any]]:
    """What is priced or not, and count the requests by tenant and provenance."""
    for cell in cells:
        requests[cell.tenant, cell.sku.provenance] += cell.usage.requests
        yield from (_row(line) for line in rate_cells([cell], card))
        if cell.sku.provenance in UNCOUNTED and cell.usage.requests:
            yield _uncounted_row(cell)


def _row(line: RatedLine) -> dict[str, Any]:
    rate, adjustments = line.rated.rate, line.rated.adjustments
    wanted = {} if rate else matched_values(line.sku)
    return {
        **_names(line),
        "meter": line.rated.meter,
        "unit_price": line.rated.unit_price,
        "per": rate.per if rate else None,
        "list_price": rate.unit_price if rate and adjustments else None,
        "adjustments": adjustments if rate and adjustments else None,
        **{key: wanted.get(key.removeprefix("rate_")) for key in _WANTED},
        "quantity": line.rated.quantity,
        "requests": line.rated.requests,
    }


def _uncounted_row(cell: MoneyCell | UserCell) -> dict[str, Any]:
    """No meter says that the quantity is not known; 0 is only there to be summed."""
    blank = dict.fromkeys(("meter", *_PRICE, *_WANTED))
    return {**_names(cell), **blank, "quantity": 0, "requests": cell.usage.requests}


def _names(used: RatedLine | MoneyCell | UserCell) -> dict[str, Any]:
    return {
        "tenant": used.tenant,
        "billing_code": used.billing_code,
        "model": used.sku.model,
        "user": None if isinstance(used, MoneyCell) else used.user,
        "region": used.sku.region,
        "provenance": used.sku.provenance,
    }


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
    requests: Mapping[tuple[str, str], int],
    priced: Sequence[Mapping[str, Any]],
    unpriced: Sequence[Mapping[str, Any]],
    currency: str,
) -> list[Statement]:
    """One for every tenant that had a request, even if nothing of it is priced."""
    amounts: dict[str, list[Decimal]] = {tenant: [] for tenant in sorted({t for t, _ in requests})}
    for row in priced:
        amounts[row["tenant"]].append(_amount(row))
    missing = Counter(row["tenant"] for row in unpriced)
    unmetered = Counter[str]()
    for (tenant, provenance), count in requests.items():
        unmetered[tenant] += count if provenance in UNCOUNTED else 0
    return [
        msgspec.structs.replace(
            statement(tenant, owed, currency, missing[tenant]), unmetered=unmetered[tenant]
        )
        for tenant, owed in amounts.items()
    ]


def _coverage(requests: Mapping[tuple[str, str], int]) -> dict[str, int]:
    counts = Counter[str]()
    for (_, provenance), count in requests.items():
        counts[provenance] += count
    return {provenance: counts[provenance] for provenance in PROVENANCES}
