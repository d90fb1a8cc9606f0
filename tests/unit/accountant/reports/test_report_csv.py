from __future__ import annotations

import csv

import pytest
from accounting import OCTOBER, card, money_cell, rate, rule, sku
from stating import CLOSED, REQUESTS, everything, facts

from accountant.rate_cards.rate_card import RateCard
from accountant.reports.report import charge_report, month_report
from accountant.reports.report_csv import as_csv
from tollgate.ledger.cells import OVERFLOW, MoneyCell, Usage

BY = ("tenant", "billing_code", "model")
NO_ENTRY = dict.fromkeys(
    (
        *("description", "shared_cost", "shared_by", "share", "share_of"),
        *("corrects_month", "corrects_statement", "corrects_line", "because"),
    ),
    "",
)


def rows(*cells: MoneyCell, prices: RateCard | None = None) -> list[dict[str, str]]:
    text = as_csv(month_report(OCTOBER, BY, cells, prices or card()))
    return list(csv.DictReader(text.splitlines()))


def test_a_line_is_a_row() -> None:
    assert rows(money_cell(billing_code=None)) == [
        {
            "period": "2026-10",
            "tenant": "contoso",
            "billing_code": "",
            "model": "gpt-4o-mini",
            "meter": "input",
            "provenance": "measured",
            "quantity": "1000",
            "unit": "token",
            "unit_price": "0.15",
            "per": "1000000",
            "amount": "0.00015",
            "currency": "USD",
            "requests": "1",
            "status": "priced",
            "list_price": "",
            "adjustments": "",
            **NO_ENTRY,
        }
    ]


def test_usage_without_a_rate_is_marked_and_has_no_amount() -> None:
    (row,) = rows(money_cell(sku=sku(model="gpt-9")))
    assert (row["status"], row["amount"], row["quantity"]) == ("unpriced", "", "1000")


@pytest.mark.parametrize(
    "name",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\tx",
        "\rx",
        " =1",
        "\u00a0=1",
        "\uff1d1",
        "\uff0b1",
        "\uff0d1",
        "\uff20A",
    ],
)
def test_a_name_is_no_formula(name: str) -> None:
    text = as_csv(month_report(OCTOBER, BY, [money_cell(tenant=name)], card()))
    assert f"'{name}" in text


@pytest.mark.parametrize("name", ['Smith, "Jones" & Co', "a=b", "Łódź", "(unallocated)", "'t Hart"])
def test_any_other_name_comes_back_as_it_was(name: str) -> None:
    assert rows(money_cell(tenant=name))[0]["tenant"] == name


def test_usage_that_is_not_known_is_a_row_without_a_count() -> None:
    pending = money_cell(sku=sku(provenance="pending"), usage=Usage(2, {}))
    (row,) = rows(pending)
    told = ("tenant", "meter", "provenance", "quantity", "unit", "amount", "requests", "status")
    assert [row[name] for name in told] == [
        "contoso",
        "",
        "pending",
        "",
        "",
        "",
        "2",
        "uncounted",
    ]


def test_overflow_is_told_from_names_that_look_like_it() -> None:
    codes = (OVERFLOW, "(overflow)", "'(overflow)", "'=1", "=1")
    found = {row["billing_code"] for row in rows(*(money_cell(billing_code=c) for c in codes))}
    assert found == {"(overflow)", "'(overflow)", "''(overflow)", "''=1", "'=1"}


def test_no_usage_is_a_header() -> None:
    text = as_csv(month_report(OCTOBER, BY, [], card()))
    assert text == (
        "period,tenant,billing_code,model,meter,provenance,quantity,unit,unit_price,per,amount,"
        "currency,requests,status,"
        "list_price,adjustments,description,shared_cost,shared_by,share,share_of,"
        "corrects_month,corrects_statement,corrects_line,because\n"
    )


def test_a_discount_stands_beside_the_list_price_and_its_name_is_no_formula() -> None:
    (row,) = rows(money_cell(), prices=RateCard([rate()], [rule("10", name="=EA")]))
    assert (row["unit_price"], row["list_price"]) == ("0.135", "0.15")
    assert row["adjustments"] == "'=EA -10%"


def test_what_is_owed_beside_usage_is_a_row_that_says_what_it_is() -> None:
    found = charge_report(facts(REQUESTS, CLOSED), BY, everything(text="=a cost"))
    made = list(csv.DictReader(as_csv(found).splitlines()))
    credit, shared, correction = (row for row in made if row["description"])
    assert [credit["status"], credit["amount"], credit["share"]] == ["credit", "-2", ""]
    part = ("status", "shared_cost", "shared_by", "share", "share_of", "amount")
    assert [shared[name] for name in part] == ["shared", "'=a cost", "used", "1/3", "100", "33.34"]
    names = ("status", "corrects_month", "corrects_statement", "corrects_line", "because", "amount")
    told = ["correction", "2026-09", "2026-09-0001", "4", "usage", "0.004"]
    assert [correction[name] for name in names] == told
    assert {row["description"] for row in (credit, shared, correction)} == {"'=a cost"}
    assert [credit["tenant"], credit["billing_code"], credit["model"]] == ["contoso", "CC-1001", ""]


def test_what_is_owed_has_only_the_groups_that_it_has() -> None:
    found = charge_report(facts(), ("user", "region"), everything())
    made = [row for row in csv.DictReader(as_csv(found).splitlines()) if row["description"]]
    assert {(row["user"], row["region"]) for row in made} == {("", "")}
