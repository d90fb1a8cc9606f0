from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from metrics_service import resource_id
from reconciling import csv_text, invoice_row

from accountant.reconciliation.csv_files import Problems
from accountant.reconciliation.invoice_rows import InvoiceRow, day_of, invoice_rows
from tollgate.errors import SettingsError

FOCUS = {
    "ChargePeriodStart": "2026-10-15T00:00:00Z",
    "ChargePeriodEnd": "2026-10-16T00:00:00Z",
    "ChargeCategory": "Usage",
    "ServiceName": "Azure OpenAI",
    "x_SkuMeterName": "gpt 4o mini 0718 Inp glbl Tokens",
    "ResourceId": resource_id("weu-1"),
    "ConsumedQuantity": "1000",
    "ConsumedUnit": "Tokens",
    "ContractedUnitPrice": "0.15",
    "BilledCost": "0.00015",
    "BillingCurrency": "USD",
    "EffectiveCost": "7",
}


def rows(tmp_path: Path, *made: dict[str, str]) -> list[InvoiceRow]:
    path = tmp_path / "i.csv"
    path.write_text(csv_text(made, made[0]))
    problems = Problems()
    found = [*invoice_rows([path], problems)]
    problems.check()
    return found


def test_a_row_of_an_ea_export(tmp_path: Path) -> None:
    (row,) = rows(tmp_path, invoice_row())
    assert row == InvoiceRow(
        place=f"{tmp_path / 'i.csv'}: line 2",
        day=date(2026, 10, 15),
        end=date(2026, 10, 16),
        kind="usage",
        service="Cognitive Services Azure OpenAI",
        meter="gpt 4o mini 0718 Inp regnl Tokens",
        resource=resource_id("weu-1"),
        quantity=Decimal(1000),
        unit="1K",
        block=1000,
        by_time=False,
        amount=Decimal("0.00015"),
        price=Decimal("0.00015"),
        currency="USD",
    )


def test_a_row_of_an_mca_export(tmp_path: Path) -> None:
    ea = invoice_row()
    names = {"BillingCurrencyCode": "billingCurrency", "MeterSubCategory": "meterSubCategory"}
    mca = {names.get(name, name[0].lower() + name[1:]): cell for name, cell in ea.items()}
    assert rows(tmp_path, mca) == rows(tmp_path, ea)


def test_a_row_of_an_older_export(tmp_path: Path) -> None:
    ea = invoice_row()
    names = {
        "Date": "UsageDateTime",
        "ResourceId": "InstanceId",
        "Quantity": "UsageQuantity",
        "CostInBillingCurrency": "PreTaxCost",
        "BillingCurrencyCode": "Currency",
    }
    old = {names.get(name, name): cell for name, cell in ea.items() if name != "ChargeType"}
    assert rows(tmp_path, old) == rows(tmp_path, ea)


def test_a_row_of_focus_has_the_billed_cost(tmp_path: Path) -> None:
    (row,) = rows(tmp_path, FOCUS)
    assert (row.amount, row.quantity, row.block) == (Decimal("0.00015"), 1000, 1)
    assert (row.day, row.end, row.kind) == (date(2026, 10, 15), date(2026, 10, 16), "usage")
    assert row.meter == "gpt 4o mini 0718 Inp glbl Tokens"


def test_focus_1_2_names_the_meter_itself(tmp_path: Path) -> None:
    made = {("SkuMeter" if name == "x_SkuMeterName" else name): FOCUS[name] for name in FOCUS}
    assert rows(tmp_path, made)[0].meter == FOCUS["x_SkuMeterName"]


def test_a_month_of_focus_says_how_long_it_is(tmp_path: Path) -> None:
    (row,) = rows(tmp_path, {**FOCUS, "ChargePeriodEnd": "2026-11-01T00:00:00Z"})
    assert row.end == date(2026, 11, 1)


@pytest.mark.parametrize(
    ("unit", "block"),
    [
        *(("1K", 1000), ("1M", 1_000_000), ("1K Tokens", 1000), ("1M tokens", 1_000_000)),
        *(("Tokens", 1), ("Units", 1), ("1", 1), ("1000000 Tokens", 1_000_000), ("10K", 10_000)),
        *(("1,000", 1000), ("1 Hour", None), ("100 Images", None), ("1/Hour", None), ("", 1)),
    ],
)
def test_a_unit_is_a_number_of_tokens_or_something_else(
    tmp_path: Path, unit: str, block: int | None
) -> None:
    (row,) = rows(tmp_path, invoice_row(UnitOfMeasure=unit))
    assert row.block == block
    assert row.by_time == ("Hour" in unit)


@pytest.mark.parametrize(
    "text", ["2026-10-15", "2026-10-15T00:00:00Z", "10/15/2026", "10/15/2026 00:00:00", "20261015"]
)
def test_a_day_is_written_in_many_ways(text: str) -> None:
    assert day_of(text) == date(2026, 10, 15)


@pytest.mark.parametrize("text", ["", "15.10.2026", "15/10/2026", "2026-13-01", "today"])
def test_other_text_is_no_day(text: str) -> None:
    assert day_of(text) is None


def test_every_mistake_is_told_with_its_line(tmp_path: Path) -> None:
    bad = invoice_row(Date="31.10.2026", Quantity="1,5", BillingCurrencyCode="US$")
    worse = invoice_row(CostInBillingCurrency="")
    with pytest.raises(SettingsError) as found:
        rows(tmp_path, bad, invoice_row(), worse)
    assert [each.partition("i.csv: ")[2] for each in found.value.problems] == [
        "line 2: day: '31.10.2026' is no day, as 2026-10-31 or 10/31/2026",
        "line 2: quantity: '1,5' is no number; write it with a point",
        "line 2: currency: 'US$' is no currency, as USD",
        "line 4: amount: '' is no amount; write it with a point",
    ]


def test_a_row_without_a_quantity_has_none_of_it(tmp_path: Path) -> None:
    (row,) = rows(tmp_path, invoice_row(Quantity="", ChargeType="Tax"))
    assert (row.quantity, row.kind) == (0, "tax")
