"""The month's chargeback: rated cells in groups, statements, and what is missing from them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, get_args

import msgspec

from accountant.errors import NoSuchTenant
from accountant.frames import total_by
from accountant.money import EXACT, amount_of, total
from accountant.rate_card import MATCH_FIELDS, RateCard, matched_values
from accountant.rating import TOKEN_METERS, RatedLine, rate_cells, unit_of
from accountant.statement import Statement, grand_total, statement
from tollgate.ledger.cells import OVERFLOW, LedgerReader, MoneyCell, UserCell
from tollgate.usage.event import Provenance
from tollgate.usage.periods import Month

GROUPS: Final = ("tenant", "billing_code", "model", "user", "region")
PROVENANCES: Final[tuple[str, ...]] = get_args(Provenance)

_PRICE: Final = ("unit_price", "per")
_TOLD: Final = ("meter", "provenance")
_WANTED: Final = tuple(
    f"rate_{field}" for field in ("model", *MATCH_FIELDS) if field != "provenance"
)


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One group's use of one meter at one price.

    Args:
        group: The values of the report's `by`, in its order.
        meter: The token leaf as priced, or a unit.
        provenance: Where the counts are from.
        quantity: How much, in `unit`.
        unit: What is counted, in the singular.
        unit_price: What `per` units cost, in the report's currency.
        per: A power of ten.
        amount: What the quantity costs, exactly and unrounded.
        requests: How many requests had any of this meter; not additive over meters.
    """

    group: tuple[str | None, ...]
    meter: str
    provenance: str
    quantity: int
    unit: str
    unit_price: Decimal
    per: int
    amount: Decimal
    requests: int


class UnpricedLine(msgspec.Struct, frozen=True, kw_only=True):
    """Usage that no rate holds for; `rate_for` is what a row of the card must match."""

    group: tuple[str | None, ...]
    meter: str
    provenance: str
    quantity: int
    unit: str
    requests: int
    rate_for: dict[str, str | None]


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A month's chargeback, in one stable order whatever the order of the cells.

    Args:
        period: The month, in UTC.
        currency: ISO 4217, that of the rate card.
        by: The names that lines are grouped by.
        lines: What is priced.
        unpriced: What is not.
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
    rated = rate_cells(_counted(cells, requests), card)
    rows = total_by((_row(line) for line in rated), _once("tenant", *by, *_TOLD, *_PRICE, *_WANTED))
    priced = [row for row in rows if row["unit_price"] is not None]
    unpriced = [row for row in rows if row["unit_price"] is None]
    lines = sorted((_line(row, by) for row in _regrouped(priced, by, _PRICE)), key=_line_order)
    statements = _statements(requests, priced, unpriced, card.currency)
    grand = grand_total(statements, card.currency)
    return Report(
        period=period,
        currency=card.currency,
        by=tuple(by),
        lines=lines,
        unpriced=sorted(
            (_unpriced(row, by) for row in _regrouped(unpriced, by, _WANTED)), key=_unpriced_order
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


def _counted(
    cells: Iterable[MoneyCell | UserCell], requests: Counter[tuple[str, str]]
) -> Iterator[MoneyCell | UserCell]:
    """Pass the cells on, and count their requests by tenant and provenance."""
    for cell in cells:
        requests[cell.tenant, cell.sku.provenance] += cell.usage.requests
        yield cell


def _row(line: RatedLine) -> dict[str, Any]:
    rate = line.rated.rate
    wanted = {} if rate else matched_values(line.sku)
    return {
        "tenant": line.tenant,
        "billing_code": line.billing_code,
        "model": line.sku.model,
        "user": line.user,
        "region": line.sku.region,
        "meter": line.rated.meter,
        "provenance": line.sku.provenance,
        "unit_price": rate.unit_price if rate else None,
        "per": rate.per if rate else None,
        **{key: wanted.get(key.removeprefix("rate_")) for key in _WANTED},
        "quantity": line.rated.quantity,
        "requests": line.rated.requests,
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
    )


def _unpriced(row: Mapping[str, Any], by: Sequence[str]) -> UnpricedLine:
    return UnpricedLine(
        group=tuple(row[name] for name in by),
        meter=row["meter"],
        provenance=row["provenance"],
        quantity=row["quantity"],
        unit=unit_of(row["meter"]),
        requests=row["requests"],
        rate_for={key.removeprefix("rate_"): row[key] for key in _WANTED},
    )


def _amount(row: Mapping[str, Any]) -> Decimal:
    return amount_of(row["quantity"], row["unit_price"], row["per"])


def _statements(
    requests: Iterable[tuple[str, str]],
    priced: Sequence[Mapping[str, Any]],
    unpriced: Sequence[Mapping[str, Any]],
    currency: str,
) -> list[Statement]:
    """One for every tenant that had a request, even if nothing of it is priced."""
    amounts: dict[str, list[Decimal]] = {tenant: [] for tenant in sorted({t for t, _ in requests})}
    for row in priced:
        amounts[row["tenant"]].append(_amount(row))
    missing = Counter(row["tenant"] for row in unpriced)
    return [statement(tenant, owed, currency, missing[tenant]) for tenant, owed in amounts.items()]


def _coverage(requests: Mapping[tuple[str, str], int]) -> dict[str, int]:
    counts = Counter[str]()
    for (_, provenance), count in requests.items():
        counts[provenance] += count
    return {provenance: counts[provenance] for provenance in PROVENANCES}


def _line_order(line: Line) -> tuple[object, ...]:
    return (*_order(line), line.unit_price, line.per)


def _unpriced_order(line: UnpricedLine) -> tuple[object, ...]:
    return (*_order(line), tuple(map(_name_order, line.rate_for.values())))


def _order(line: Line | UnpricedLine) -> tuple[object, ...]:
    """Groups by name, then token leaves as they are listed, units by name, provenance."""
    leaf = TOKEN_METERS.index(line.meter) if line.meter in TOKEN_METERS else len(TOKEN_METERS)
    group = tuple(map(_name_order, line.group))
    return (group, leaf, line.meter, PROVENANCES.index(line.provenance))


def _name_order(name: str | None) -> tuple[int, str]:
    """By name; then the overflow, then what has no name."""
    return (2 if name is None else int(name == OVERFLOW), name or "")
