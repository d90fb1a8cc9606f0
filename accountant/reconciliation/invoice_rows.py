"""Reads rows of an invoice: actual-cost exports of Cost Management (EA, MCA), and FOCUS CSV.

Quantities are tokens: Azure's `Quantity` is the consumed amount, and `1K` or `1M` as its unit is
what the price is of. Files that count in such units instead are told by their prices, or by
fractions, which tokens do not have.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Final

import msgspec

from accountant.reconciliation.csv_files import Problems, Spellings, csv_rows, number_of

_COLUMNS: Final[Spellings] = {
    "day": ("Date", "UsageDate", "UsageDateTime", "ChargePeriodStart"),
    "meter": ("MeterName", "x_SkuMeterName", "SkuMeter", "Meter"),
    "resource": ("ResourceId", "InstanceId"),
    "quantity": ("Quantity", "UsageQuantity", "ConsumedQuantity"),
    "unit": ("UnitOfMeasure", "ConsumedUnit"),
    "amount": ("CostInBillingCurrency", "BilledCost", "PreTaxCost", "ExtendedCost", "Cost"),
    "currency": ("BillingCurrencyCode", "BillingCurrency", "CurrencyCode", "Currency"),
}
_OPTIONAL: Final[Spellings] = {
    "kind": ("ChargeType", "ChargeCategory"),
    "end": ("ChargePeriodEnd",),
    "price": ("EffectivePrice", "UnitPrice", "x_EffectiveUnitPrice", "ContractedUnitPrice"),
    "category": ("MeterCategory", "x_SkuMeterCategory", "ServiceName"),
    "subcategory": ("MeterSubCategory", "x_SkuMeterSubcategory", "ServiceSubcategory"),
    "product": ("ProductName", "Product", "x_SkuDescription", "ChargeDescription"),
    "service": ("ServiceName", "ConsumedService"),
}
_DAY: Final = timedelta(days=1)
_UNIT: Final = re.compile(r"([0-9,]+)? ?([KM])? ?(tokens?|units?)?", re.IGNORECASE)
_TIME: Final = re.compile(r"hour|month|day|year|second|minute", re.IGNORECASE)
_TIMES: Final = {"": 1, "K": 1_000, "M": 1_000_000}
_KINDS: Final = {"": "usage", "usage": "usage"}


class InvoiceRow(msgspec.Struct, frozen=True, kw_only=True):
    """One row.

    Args:
        place: File and line.
        day: The first UTC day that it is for.
        end: The first UTC day that it is no longer for.
        kind: `usage`, `purchase`, `tax`, `credit`, …, in small letters.
        service: What names its service, in words.
        meter: The meter's name.
        resource: ARM id, or a name.
        quantity: As told.
        unit: As told.
        block: How many tokens the unit is the price of; None: it counts something else.
        by_time: Whether the unit is one of time.
        amount: What it costs.
        price: Of the block; None is not told.
        currency: ISO 4217.
    """

    place: str
    day: date
    end: date
    kind: str
    service: str
    meter: str
    resource: str
    quantity: Decimal
    unit: str
    block: int | None
    by_time: bool
    amount: Decimal
    price: Decimal | None
    currency: str


def invoice_rows(paths: Sequence[Path], problems: Problems) -> Iterator[InvoiceRow]:
    """The sound rows of all files, as they come; `problems` gets the rest."""
    for path in paths:
        for place, cells in csv_rows(path, _COLUMNS, _OPTIONAL, problems):
            row = _row(place, cells, problems)
            if row is not None:
                yield row


def _row(place: str, cells: Mapping[str, str], problems: Problems) -> InvoiceRow | None:
    day = day_of(cells["day"])
    end = day_of(cells["end"]) if cells["end"] else None
    quantity, amount = number_of(cells["quantity"] or "0"), number_of(cells["amount"])
    currency = cells["currency"].upper()
    is_currency = re.fullmatch("[A-Z]{3}", currency) is not None
    for name, value, what in (
        ("day", day, "no day, as 2026-10-31 or 10/31/2026"),
        ("quantity", quantity, "no number; write it with a point"),
        ("amount", amount, "no amount; write it with a point"),
        ("currency", is_currency or None, "no currency, as USD"),
    ):
        if value is None:
            problems.add(f"{place}: {name}: {cells[name][:40]!r} is {what}")
    if day is None or quantity is None or amount is None or not is_currency:
        return None
    return InvoiceRow(
        place=place,
        day=day,
        end=end or day + _DAY,
        kind=_KINDS.get(cells["kind"].lower(), cells["kind"].lower()),
        service=" ".join(
            cells[name] for name in ("category", "subcategory", "product", "service")
        ).strip(),
        meter=cells["meter"],
        resource=cells["resource"],
        quantity=quantity,
        unit=cells["unit"],
        block=_block(cells["unit"]),
        by_time=bool(_TIME.search(cells["unit"])),
        amount=amount,
        price=number_of(cells["price"]),
        currency=currency,
    )


def day_of(text: str) -> date | None:
    """The UTC day of `2026-10-31`, `2026-10-31T00:00:00Z`, `20261031` or `10/31/2026`."""
    try:
        if "/" in text:
            return datetime.strptime(text.partition(" ")[0], "%m/%d/%Y").date()  # noqa: DTZ007  a day
        return date.fromisoformat(text[:10] if "-" in text else text)
    except ValueError:
        return None


def _block(unit: str) -> int | None:
    """How many tokens `1K`, `1M`, `1K Tokens`, `1000000 Tokens` or `Tokens` are."""
    found = _UNIT.fullmatch(unit.strip())
    if found is None:
        return None
    count = (found[1] or "1").replace(",", "")
    return int(count) * _TIMES[(found[2] or "").upper()] if count else None
