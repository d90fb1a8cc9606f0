"""`accountant reconcile --true-up`."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

from reconciling import (
    csv_text,
    invoice_row,
)
from reconciling_cli import PAID, given, run

pytest_plugins = ["servers", "reconciling_cli"]


def test_a_true_up_is_an_entry_of_its_own(
    ledger: str, files: Mapping[str, str], tmp_path: Path
) -> None:
    dearer = [*PAID, invoice_row(CostInBillingCurrency="3.00", Quantity="0")]
    Path(files["--invoice"]).write_text(csv_text(dearer))
    out = tmp_path / "out"
    options = (*given(files, "--invoice", "--rates"), "--out", str(out))
    result = run(ledger, *options, "--true-up", "proportional")
    assert result.exit_code == 1
    entry = json.loads((out / "true-up-2026-10.json").read_text())
    assert [(line["tenant"], line["amount"]) for line in entry["lines"]] == [
        ("contoso", "1.80"),
        ("fabrikam", "1.20"),
    ]
    rows = list(csv.DictReader((out / "true-up-2026-10.csv").read_text().splitlines()))
    assert [(row["account"], row["tenant"], row["debit"], row["credit"]) for row in rows] == [
        ("EXPENSE", "contoso", "1.80", ""),
        ("CLEARING", "contoso", "", "1.80"),
        ("EXPENSE", "fabrikam", "1.20", ""),
        ("CLEARING", "fabrikam", "", "1.20"),
    ]
    assert all(entry["id"] in row["text"] for row in rows)


def test_a_true_up_has_the_columns_and_accounts_of_the_user(
    ledger: str, files: Mapping[str, str], tmp_path: Path
) -> None:
    dearer = [*PAID, invoice_row(CostInBillingCurrency="3.00", Quantity="0")]
    Path(files["--invoice"]).write_text(csv_text(dearer))
    template, accounts = tmp_path / "t.csv", tmp_path / "a.toml"
    template.write_text("Konto;Betrag\n{account};{amount}\n")
    accounts.write_text('expense = "6400"\nclearing = "2990"\n')
    options = (*given(files, "--invoice", "--rates"), "--out", str(tmp_path))
    mine = ("--template", str(template), "--accounts", str(accounts))
    run(ledger, *options, "--true-up", "unallocated", *mine)
    written = (tmp_path / "true-up-2026-10.csv").read_text()
    assert written == "Konto;Betrag\n6400;3.00\n2990;-3.00\n"


def test_nothing_to_true_up_is_said(ledger: str, files: Mapping[str, str], tmp_path: Path) -> None:
    options = (*given(files, "--invoice", "--rates"), "--out", str(tmp_path / "out"))
    result = run(ledger, *options, "--true-up", "proportional")
    assert result.exit_code == 0
    assert "accountant: no true-up: the invoice and the ledger are the same" in result.stderr
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["reconcile-2026-10.txt"]


def test_a_true_up_without_prices_writes_nothing(
    ledger: str, files: Mapping[str, str], tmp_path: Path
) -> None:
    options = (*given(files, "--invoice"), "--out", str(tmp_path / "out"))
    result = run(ledger, *options, "--true-up", "unallocated")
    assert (result.exit_code, (tmp_path / "out").exists()) == (2, False)
    assert result.stderr.startswith("accountant: --true-up: 3,101,010 tokens have no rate")


def test_books_in_another_currency_are_compared_and_posted(
    ledger: str, files: Mapping[str, str], tmp_path: Path
) -> None:
    costs = tmp_path / "costs.toml"
    costs.write_text(
        '[[fx]]\nfrom = "USD"\nto = "EUR"\nrate = "0.5"\neffective_from = 2026-10-01\n'
        'source = "made up"\n[[cost_centre]]\ntenant = "contoso"\ncost_centre = "4711"\n'
        'effective_from = 2026-10-01\nsource = "made up"\n'
    )
    paid = [
        {**row, "CostInBillingCurrency": f"{Decimal(row['CostInBillingCurrency']) / 2:f}"}
        for row in [*PAID, invoice_row(CostInBillingCurrency="6.00", Quantity="0")]
    ]
    Path(files["--invoice"]).write_text(
        csv_text({**row, "BillingCurrencyCode": "EUR", "EffectivePrice": ""} for row in paid)
    )
    options = (*given(files, "--invoice", "--rates"), "--costs", str(costs), "--out", str(tmp_path))
    assert "has no usage of Azure OpenAI in USD, but 6 in EUR" in run(ledger, *options).stderr
    result = run(ledger, *options, "--currency", "EUR", "--true-up", "proportional")
    assert result.exit_code == 1
    assert "Unexplained: 1 of 5 lines, 3 EUR." in (tmp_path / "reconcile-2026-10.txt").read_text()
    rows = list(csv.DictReader((tmp_path / "true-up-2026-10.csv").read_text().splitlines()))
    assert [(row["cost_centre"], row["debit"], row["currency"]) for row in rows[::2]] == [
        ("4711", "1.80", "EUR"),
        ("UNALLOCATED", "1.20", "EUR"),
    ]
