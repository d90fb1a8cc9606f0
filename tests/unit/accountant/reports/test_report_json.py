from __future__ import annotations

import json
from typing import Any

from accounting import OCTOBER, card, ledger_of, money_cell, rate, rule, sku, used
from builders import event
from stating import CLOSED, REQUESTS, everything, facts

from accountant.rate_cards.rate_card import RateCard
from accountant.reports.report import charge_report, month_report
from accountant.reports.report_json import as_json
from tollgate.ledger.cells import OVERFLOW, MoneyCell, Usage

BY = ("tenant", "billing_code", "model")


def document(*cells: MoneyCell, by: tuple[str, ...] = BY) -> dict[str, Any]:
    return json.loads(as_json(month_report(OCTOBER, by, cells, card())))


def test_one_event_gives_the_contracts_line() -> None:
    found = document(*ledger_of([event()]).money_cells(OCTOBER))
    assert json.dumps(found["lines"][1]) == (
        '{"tenant": "contoso", "billing_code": "CC-1001", "model": "gpt-4o-mini", '
        '"meter": "cached_input", "provenance": "measured", "quantity": 640, "unit": "token", '
        '"unit_price": "0.075", "per": 1000000, "amount": "0.000048", "requests": 1}'
    )
    assert json.dumps({**found, "lines": []}) == (
        '{"period": "2026-10", "time_zone": "UTC", "currency": "USD", "status": "draft", '
        f'"edition": {{"rate_card": "{card().version}", "costs": null, '
        '"closed_on": null, "digest": null, '
        '"numbers": {}, "waivers": [], "restated_by": []}, '
        '"by": ["tenant", "billing_code", "model"], "lines": [], "entries": [], "unpriced": [], '
        '"coverage": {"requests": 1, "measured": 1, "injected": 0, "estimated": 0, '
        '"backfilled": 0, "pending": 0, "unknown": 0, "none": 0}, '
        '"rounding": "-0.000174", "total": "0.00"}'
    )


def test_fields_outside_by_are_absent() -> None:
    (line,) = document(money_cell(), by=("region",))["lines"]
    assert [*line][:2] == ["region", "meter"]
    assert "tenant" not in line


def test_unallocated_is_null_and_overflow_is_no_text() -> None:
    found = document(money_cell(billing_code=None), money_cell(billing_code=OVERFLOW))
    assert [line["billing_code"] for line in found["lines"]] == [{"overflow": True}, None]


def test_usage_without_a_rate_has_no_amount() -> None:
    (line,) = document(money_cell(sku=sku(model="gpt-9"), usage=used(meter="images")))["unpriced"]
    assert {"unit_price", "per", "amount"}.isdisjoint(line)
    assert (line["model"], line["meter"], line["unit"]) == ("gpt-9", "images", "image")
    assert line["rate_for"]["model"] == "gpt-9"


def test_usage_that_is_not_known_is_null() -> None:
    found = document(money_cell(sku=sku(provenance="pending"), usage=Usage(2, {})))
    assert found["unpriced"] == [
        {
            "tenant": "contoso",
            "billing_code": "CC-1001",
            "model": "gpt-4o-mini",
            "meter": None,
            "provenance": "pending",
            "quantity": None,
            "unit": None,
            "requests": 2,
            "rate_for": None,
        }
    ]


def test_names_stand_as_they_are() -> None:
    made = month_report(OCTOBER, BY, [money_cell(tenant='Łódź "x" </script>')], card())
    assert '"tenant": "Łódź \\"x\\" </script>"' in as_json(made)


def test_a_line_says_what_made_its_price_of_the_list_price() -> None:
    rules = [rule("12.5"), rule("3", kind="markup", name="platform", tenant="contoso")]
    found = month_report(OCTOBER, ["tenant"], [money_cell()], RateCard([rate()], rules))
    (line,) = json.loads(as_json(found))["lines"]
    assert (line["list_price"], line["unit_price"]) == ("0.15", "0.1351875")
    assert line["amount"] == "0.0001351875"
    assert line["adjustments"] == [
        {"kind": "discount", "name": "EA", "percent": "12.5"},
        {"kind": "markup", "name": "platform", "percent": "3"},
    ]


def test_lines_of_one_price_stand_apart_if_it_was_made_otherwise() -> None:
    prices = RateCard([rate()], [rule("50", tenant="a"), rule("100", kind="markup", tenant="a")])
    cells = [money_cell(tenant="a"), money_cell(tenant="b")]
    found = json.loads(as_json(month_report(OCTOBER, ["model"], cells, prices)))
    assert [line["unit_price"] for line in found["lines"]] == ["0.15", "0.15"]
    assert ["list_price" in line for line in found["lines"]] == [False, True]


def test_what_is_owed_beside_usage_says_what_it_is_of() -> None:
    found = json.loads(as_json(charge_report(facts(REQUESTS, CLOSED), BY, everything())))
    credit, shared, correction = found["entries"]
    assert credit == {
        "tenant": "contoso",
        "billing_code": "CC-1001",
        "start": "2026-10-15",
        "end": "2026-10-16",
        "category": "Credit",
        "description": "a cost",
        "amount": "-2",
        "allocation": None,
        "correction": None,
    }
    part = {"cost": "ptu-weu-1", "method": "used", "share": "1/3", "whole": "100"}
    unsaid: dict[str, object] = {"commitment": None, "tokens": [], "requests": 0}
    assert shared["allocation"] == {**part, **unsaid, "cost": "a cost"}
    corrected = {"month": "2026-09", "statement": "2026-09-0001", "line": 4, "reason": "usage"}
    assert correction["correction"] == corrected


def test_the_state_of_the_books_is_told_with_the_numbers_of_those_who_are_in_it() -> None:
    found = json.loads(as_json(charge_report(facts(REQUESTS, CLOSED), BY, everything())))
    assert found["status"] == "closed"
    assert found["edition"] == {
        "rate_card": "3f2a9c11d0",
        "costs": None,
        "closed_on": "2026-11-05",
        "digest": "ab" * 32,
        "numbers": {"contoso": "2026-10-0001"},
        "waivers": [{"what": "unpriced gpt-9", "reason": "a preview without a price", "by": "Ada"}],
        "restated_by": [],
    }
