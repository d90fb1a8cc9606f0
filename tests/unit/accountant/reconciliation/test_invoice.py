from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from accounting import OCTOBER
from metrics_service import resource_id
from reconciling import THE_15TH, csv_text, invoice_row, meter_row

from accountant.reconciliation.csv_files import Problems
from accountant.reconciliation.invoice import Wanted, invoice_side
from accountant.reconciliation.items import Item
from accountant.reconciliation.naming import Naming, ResourceMap
from accountant.reconciliation.sides import Provided, ProviderSide
from tollgate.errors import SettingsError

INPUT = Item(
    backend="weu-1",
    model="gpt-4o-mini",
    model_version="2024-07-18",
    scope="regional",
    deployment_type="standard",
    service_tier="default",
    meter="input",
)
WANTED = Wanted(OCTOBER, "USD", Naming(ResourceMap(), ["weu-1"], []))


def side(tmp_path: Path, *files: Iterable[dict[str, str]]) -> ProviderSide:
    paths = [tmp_path / f"{number}.csv" for number, _ in enumerate(files)]
    for path, rows in zip(paths, files, strict=True):
        path.write_text(csv_text(rows))
    problems = Problems()
    found = invoice_side(paths, WANTED, problems)
    problems.check()
    return found


def provided(tmp_path: Path, *rows: dict[str, str]) -> Provided:
    """What they say of the one item that they are of."""
    (found,) = side(tmp_path, rows).counts.values()
    return found


def refused(tmp_path: Path, *files: Iterable[dict[str, str]]) -> list[str]:
    with pytest.raises(SettingsError) as found:
        side(tmp_path, *files)
    return [each.replace(f"{tmp_path}/", "") for each in found.value.problems]


def test_tokens_and_money_are_added_by_day_resource_and_meter(tmp_path: Path) -> None:
    found = side(
        tmp_path,
        [meter_row("input", 1000, "0.15"), meter_row("input", 2000, "0.15")],
        [meter_row("output", 7, "0.60"), meter_row("input", 5, "0.15", Date="2026-10-16")],
    )
    assert found.of == ("0.csv", "1.csv")
    assert found.currency == "USD"
    assert {(day, item.meter): each.quantity for (day, item), each in found.counts.items()} == {
        (THE_15TH, "input"): 3000,
        (THE_15TH, "output"): 7,
        (date(2026, 10, 16), "input"): 5,
    }
    assert found.counts[THE_15TH, INPUT].amount == Decimal("0.00045")


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"BillingCurrencyCode": "EUR"}, "other_currency"),
        ({"MeterCategory": "Storage", "MeterSubCategory": "Blob"}, "other_service"),
        ({"Date": "2026-09-30"}, "other_month"),
        ({"Date": "2026-11-01"}, "other_month"),
        ({"ChargeType": "Tax"}, "tax"),
        ({"ChargeType": "Credit"}, "credit"),
        ({"ChargeType": "Refund"}, "credit"),
        ({"ChargeType": "Purchase"}, "purchase"),
        ({"ChargeType": "RoundingAdjustment"}, "adjustment"),
        ({"UnitOfMeasure": "1 Hour"}, "by_the_hour"),
        ({"UnitOfMeasure": "100 Images"}, "other_units"),
    ],
)
def test_what_is_not_compared_is_apart_with_its_amount(
    tmp_path: Path, changes: dict[str, str], kind: str
) -> None:
    found = side(tmp_path, [invoice_row(), invoice_row(**changes)])
    assert len(found.counts) == 1
    (apart,) = found.apart
    assert (apart.kind, apart.amount, apart.rows) == (kind, Decimal("0.00015"), 1)
    assert apart.currency == changes.get("BillingCurrencyCode", "USD")


def test_what_is_apart_is_added_by_kind(tmp_path: Path) -> None:
    hours = [invoice_row(UnitOfMeasure="1 Hour", MeterName=name, Quantity="24") for name in "aab"]
    taxes = [invoice_row(ChargeType="Tax", Quantity="")] * 3
    found = side(tmp_path, [invoice_row(), *hours, *taxes]).apart
    assert [(each.what, each.rows, each.quantity) for each in found] == [
        ("a", 2, 48),
        ("b", 1, 24),
        ("taxes", 3, None),
    ]


def test_foundry_models_are_of_azure_openai_if_their_meter_is(tmp_path: Path) -> None:
    foundry = {"MeterCategory": "Foundry Models", "MeterSubCategory": "Foundry Models"}
    deepseek = invoice_row(**foundry, MeterName="DeepSeek V3 thing glbl Tokens")
    found = side(tmp_path, [invoice_row(**foundry), deepseek])
    assert len(found.counts) == 1
    assert [each.kind for each in found.apart] == ["other_service"]


def test_a_meter_that_cannot_be_read_is_compared_by_its_name(tmp_path: Path) -> None:
    found = side(tmp_path, [invoice_row(MeterName="gpt 9 thing Inp glbl Tokens oddly ft")])
    ((_, item),) = found.counts
    assert (item.meter, item.model) == ("gpt 9 thing Inp glbl Tokens oddly ft", None)


def test_quantities_are_tokens_whatever_the_price_is_of(tmp_path: Path) -> None:
    row = invoice_row(Quantity="1500000", EffectivePrice="0.15", UnitOfMeasure="1M")
    assert provided(tmp_path, {**row, "CostInBillingCurrency": "0.225"}).quantity == 1_500_000
    assert provided(tmp_path, {**row, "EffectivePrice": ""}).quantity == 1_500_000


def test_a_price_tells_that_quantities_count_blocks(tmp_path: Path) -> None:
    row = invoice_row(Quantity="2", EffectivePrice="0.15", UnitOfMeasure="1M")
    found = provided(tmp_path, {**row, "CostInBillingCurrency": "0.27"})  # at a discount
    assert found.quantity == 2_000_000


def test_without_a_price_fractions_tell_that_quantities_count_blocks(tmp_path: Path) -> None:
    row = invoice_row(Quantity="1.234567", EffectivePrice="", UnitOfMeasure="1M")
    assert provided(tmp_path, row).quantity == 1_234_567


@pytest.mark.parametrize(
    ("quantity", "unit", "tokens", "rounding"),
    [
        ("1.234", "1K", 1234, 0),
        ("1.23", "1K", 1230, 5),
        ("1.2", "1K", 1200, 5),
        ("1.23", "1M", 1_230_000, 5000),
        ("1.234567", "1M", 1_234_567, 0),
        ("1.2345674", "1M", 1_234_567, 1),
        ("1.23400000000000002", "1K", 1234, 1),
    ],
)
def test_blocks_are_rounded_to_their_last_digit(
    tmp_path: Path, quantity: str, unit: str, tokens: int, rounding: int
) -> None:
    row = invoice_row(Quantity=quantity, EffectivePrice="", UnitOfMeasure=unit)
    found = provided(tmp_path, row)
    assert (found.quantity, found.rounding) == (tokens, rounding)


def test_the_longest_quantity_tells_the_digits_of_all(tmp_path: Path) -> None:
    rows = [
        invoice_row(Quantity=quantity, EffectivePrice="", MeterName=name)
        for quantity, name in (("1.2", invoice_row()["MeterName"]), ("0.003", "other tokens"))
    ]
    assert [each.rounding for each in side(tmp_path, rows).counts.values()] == [0, 0]


@pytest.mark.parametrize(
    ("amount", "half"), [("0.5", "0.005"), ("0.1234", "0.00005"), ("0.00000000012345", "5E-10")]
)
def test_an_amount_is_rounded_to_its_last_digit(tmp_path: Path, amount: str, half: str) -> None:
    found = provided(tmp_path, invoice_row(CostInBillingCurrency=amount, EffectivePrice=""))
    assert found.amount_rounding == Decimal(half)


def test_an_invoice_in_another_currency_is_told(tmp_path: Path) -> None:
    rows = [invoice_row(BillingCurrencyCode=name) for name in ("EUR", "EUR", "CHF")]
    (told,) = refused(tmp_path, rows)
    assert told == (
        "the invoice has no usage of Azure OpenAI in USD, but 1 in CHF, 2 in EUR: "
        "give --rates or --currency in one of these"
    )


def test_the_same_row_in_two_files_is_an_overlap(tmp_path: Path) -> None:
    assert refused(tmp_path, [invoice_row()], [invoice_row()]) == [
        "1.csv: line 2: is in 0.csv: line 2, too: the exports overlap"
    ]
    (found,) = side(tmp_path, [invoice_row(), invoice_row()]).counts.values()
    assert found.quantity == 2000


def test_a_row_of_several_days_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "f.csv"
    row = {**invoice_row(), "ChargePeriodEnd": "2026-11-01T00:00:00Z"}
    path.write_text(csv_text([row], row))
    problems = Problems()
    invoice_side([path], WANTED, problems)
    with pytest.raises(SettingsError, match="line 2: is of 17 days; export it by day"):
        problems.check()


def test_another_resource_keeps_its_name(tmp_path: Path) -> None:
    found = side(tmp_path, [invoice_row(ResourceId=resource_id("other"))])
    assert [item.backend for _, item in found.counts] == ["other"]
