"""Builds what tests of reconciliations speak of: both sides, and a provider that agrees."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import msgspec
from accounting import OCTOBER
from builders import event
from metrics_service import resource_id

from accountant.rate_cards.rate_card import RateCard
from accountant.rating import rate_cells
from accountant.reconciliation.items import FOLDINGS, Day, Item, Source
from accountant.reconciliation.ledger_side import LedgerReading
from accountant.reconciliation.reconcile import Reconciliation, Terms, reconcile
from accountant.reconciliation.sides import LedgerSide, Provided, ProviderSide
from accountant.usage_charges import month_charges
from tollgate.ledger.cells import MoneyCell
from tollgate.usage.event import UsageEvent
from tollgate.usage.tokens import Tokens

DECEMBER = datetime(2026, 12, 1, tzinfo=UTC)
TERMS = Terms(now=DECEMBER)
THE_15TH = date(2026, 10, 15)
INVOICE_HEADER = (
    *("Date", "MeterCategory", "MeterSubCategory", "MeterName", "ResourceId", "Quantity"),
    *("UnitOfMeasure", "EffectivePrice", "CostInBillingCurrency", "BillingCurrencyCode"),
    "ChargeType",
)
_METER_NAMES = {
    "input": "gpt 4o mini 0718 Inp regnl Tokens",
    "cached_input": "gpt 4o mini 0718 cached Inp regnl Tokens",
    "output": "gpt 4o mini 0718 Outp regnl Tokens",
}


def ledger_reading(
    cells: Iterable[MoneyCell], source: Source = "metrics", rates: RateCard | None = None
) -> LedgerReading:
    """These cells, and where there are rates what they cost, as a source tells them."""
    reading = LedgerReading(FOLDINGS[source])
    cells = sorted(cells, key=lambda cell: (cell.tenant, cell.hour))
    for cell in cells:
        reading.add_cell(cell)
    if rates is not None:
        reading.add_charges(month_charges(OCTOBER, cells, rates))
    return reading


def provider(source: Source = "metrics", **changes: Any) -> ProviderSide:
    """What a source says."""
    currency = "USD" if source == "invoice" else None
    made: dict[str, Any] = {"source": source, "of": ("x",), "counts": {}, "currency": currency}
    return ProviderSide(**{**made, **changes})


def prompt(**changes: Any) -> Item:
    """The prompt tokens of gpt-4o-mini on weu-1."""
    return Item(**{"backend": "weu-1", "deployment": "gpt-4o-mini", "meter": "prompt", **changes})


def counts(
    quantity: int, day: date = THE_15TH, item: Item | None = None, **changes: Any
) -> dict[Day, Provided]:
    """What the provider counted of one item on one day."""
    return {(day, item or prompt()): Provided(quantity=quantity, **changes)}


def compared(ledger: LedgerSide, side: ProviderSide, terms: Terms = TERMS) -> Reconciliation:
    """In December, when October is long settled."""
    return reconcile(ledger, side, terms)


def agreeing(cells: Iterable[MoneyCell], source: Source, rates: RateCard) -> ProviderSide:
    """A provider that counts and costs what the ledger does."""
    folding = FOLDINGS[source]
    found: defaultdict[Day, Provided] = defaultdict(Provided)
    for cell in cells:
        place, day = folding.place(cell.sku), date.fromisoformat(cell.hour[:10])
        if place is None or cell.sku.provenance in {"none", "pending", "unknown"}:
            continue
        for line in rate_cells([cell], rates):
            item = msgspec.structs.replace(place, meter=folding.meter(line.rated.meter))
            amount = (line.rated.amount or Decimal(0)) if source == "invoice" else None
            found[day, item].add(Provided(quantity=line.rated.quantity, amount=amount))
        if folding.has_requests:
            requests = msgspec.structs.replace(place, meter="requests")
            found[day, requests].add(Provided(quantity=cell.usage.requests))
    return provider(source, counts=dict(found))


def invoice_row(**changes: str) -> dict[str, str]:
    """A thousand input tokens of gpt-4o-mini on weu-1, as an EA export has them."""
    row = {
        "Date": "10/15/2026",
        "MeterCategory": "Cognitive Services",
        "MeterSubCategory": "Azure OpenAI",
        "MeterName": _METER_NAMES["input"],
        "ResourceId": resource_id("weu-1"),
        "Quantity": "1000",
        "UnitOfMeasure": "1K",
        "EffectivePrice": "0.00015",
        "CostInBillingCurrency": "0.00015",
        "BillingCurrencyCode": "USD",
        "ChargeType": "Usage",
    }
    return {**row, **changes}


def meter_row(meter: str, quantity: int, price: str, **changes: str) -> dict[str, str]:
    """A row of a token leaf of gpt-4o-mini, at a price of a million."""
    cost = Decimal(quantity) * Decimal(price) / 1_000_000
    return invoice_row(
        MeterName=_METER_NAMES[meter],
        Quantity=str(quantity),
        EffectivePrice=str(Decimal(price) / 1000),
        CostInBillingCurrency=f"{cost:f}",
        **changes,
    )


def csv_text(rows: Iterable[dict[str, str]], header: Iterable[str] = INVOICE_HEADER) -> str:
    """Rows as a file."""
    text = StringIO()
    writer = csv.DictWriter(text, [*header], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def metrics_json(*sums: tuple[str, str, int], status: str = "200") -> str:
    """Daily sums of gpt-4o-mini on weu-1: metric, day and total, as the service answers them."""
    resource = resource_id("weu-1")
    metrics: list[dict[str, Any]] = []
    for name, day, total in sums:
        dimensions = {"modeldeploymentname": "gpt-4o-mini"}
        if name == "AzureOpenAIRequests":
            dimensions["statuscode"] = status
        series = {
            "metadatavalues": [{"name": {"value": k}, "value": v} for k, v in dimensions.items()],
            "data": [{"timeStamp": f"{day}T00:00:00Z", "total": float(total)}],
        }
        metrics.append({"name": {"value": name}, "timeseries": [series], "errorCode": "Success"})
    return json.dumps({"values": [{"interval": "P1D", "resourceid": resource, "value": metrics}]})


def october_events() -> list[UsageEvent]:
    """Two calls on one day, and one on the next, of two tenants."""
    day = datetime(2026, 10, 15, 12, tzinfo=UTC)
    much = Tokens(input=2_000_000, cached_input=500_000, output=100_000)
    return [
        event("1", day, tokens=much),
        event("2", day, tenant="fabrikam", tokens=Tokens(input=1_000_000, output=0)),
        event("3", day.replace(day=16), tokens=Tokens(input=1_000, output=10)),
    ]


def write_rates(path: Path) -> None:
    """A card of what `meter_row` is told to cost, wherever it runs."""
    rows = {"input": "0.15", "cached_input": "0.075", "output": "0.60"}
    path.write_text(
        "".join(
            f'[[rate]]\nmodel = "gpt-4o-mini"\nmeter = "{meter}"\nprice = "{price}"\n'
            'per = 1000000\ncurrency = "USD"\neffective_from = 2026-01-01\n'
            'source = "made up for this test"\nchecked_on = 2026-10-01\n'
            for meter, price in rows.items()
        )
    )
