"""The same reconciliation as JSON, CSV and tables."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from accounting import OCTOBER, card, money_cell, sku, used
from reconciling import THE_15TH, agreeing, compared, counts, ledger_reading, prompt, provider

from accountant.money import total
from accountant.reconciliation.items import Item
from accountant.reconciliation.reconcile import Reconciliation, Terms
from accountant.reconciliation.reconciliation_csv import COLUMNS, as_csv
from accountant.reconciliation.reconciliation_json import as_json, true_up_json
from accountant.reconciliation.reconciliation_table import MAX_ROWS, as_table
from accountant.reconciliation.sides import Apart, Provided
from accountant.reconciliation.true_up import true_up
from tollgate.ledger.cells import Usage

UNCOUNTED = money_cell(sku=sku(provenance="unknown"), usage=Usage(1, {}))
NONE = money_cell(sku=sku(provenance="none"), usage=Usage(2, {}))
ODD = Apart(
    kind="by_the_hour",
    what="=Provisioned",
    rows=2,
    quantity=Decimal("24.50"),
    unit="1 Hour",
    amount=Decimal("24.50"),
    currency="USD",
)


def monitored(prompt_tokens: int = 1500) -> Reconciliation:
    """Azure Monitor has one request more, whose tokens the ledger does not know."""
    side = provider(
        counts=counts(prompt_tokens) | counts(2, item=prompt(meter="requests")),
        apart=(
            Apart(
                kind="failed_requests",
                what="requests answered 429",
                rows=1,
                quantity=Decimal(3),
                unit="request",
            ),
        ),
        silent=frozenset({"completion"}),
    )
    return compared(ledger_reading([money_cell(), UNCOUNTED, NONE]).side(), side)


def invoiced(amount: str = "0.00016") -> Reconciliation:
    cells = [money_cell()]
    ledger = ledger_reading(cells, "invoice", card()).side("USD")
    ((_, item),) = ledger.counts
    billed = {(THE_15TH, item): Provided(quantity=1000, amount=Decimal(amount))}
    return compared(ledger, provider("invoice", counts=billed, apart=(ODD,)))


def rows(*found: Reconciliation) -> list[dict[str, str]]:
    return list(csv.DictReader(as_csv(OCTOBER, found).splitlines()))


def members(*found: Reconciliation) -> dict[str, Any]:
    return json.loads(as_json(OCTOBER, Decimal("0.001"), found))


def table(*found: Reconciliation, width: int = 80) -> str:
    return as_table(OCTOBER, found, width)


def test_json_has_whole_quantities_and_money_as_text() -> None:
    found = members(monitored(), invoiced())
    assert (found["period"], found["tolerance_percent"], found["agrees"]) == (
        "2026-10",
        "0.1",
        False,
    )
    metrics, invoice = found["sources"]
    line = metrics["lines"][0]
    assert (line["day"], line["ledger"], line["provider"]) == ("2026-10-15", 1000, 1500)
    assert line["causes"] == [{"kind": "uncounted", "quantity": 500, "amount": None}]
    assert (line["amount_difference"], line["status"]) == (None, "explained")
    billed = invoice["lines"][0]
    assert (billed["ledger_amount"], billed["provider_amount"]) == ("0.00015", "0.00016")
    assert (billed["unexplained_amount"], billed["status"]) == ("0.00001", "unexplained")


def test_json_has_what_is_not_compared() -> None:
    metrics, invoice = members(monitored(), invoiced())["sources"]
    assert metrics["ledger_not_compared"][0]["kind"] == "refused_or_cached"
    assert metrics["provider_not_compared"][0]["quantity"] == "3"
    assert metrics["meters_not_told"] == ["completion"]
    (hours,) = invoice["provider_not_compared"]
    assert (hours["quantity"], hours["amount"], hours["currency"]) == ("24.5", "24.5", "USD")


def test_json_has_the_capture_of_each_deployment_and_of_all() -> None:
    metrics, invoice = members(monitored(), invoiced())["sources"]
    first, *_, last = metrics["capture"]
    assert (first["of"], first["deployment"], first["rate"]) == (
        "deployment",
        "gpt-4o-mini",
        "0.666666",
    )
    assert (first["ledger"], first["provider"]) == (1000, 1500)
    assert (last["of"], last["unit"], last["rate"]) == ("all", "request", "1")
    assert invoice["capture"][-1]["ledger"] == "0.00015"


def test_csv_has_a_row_a_line_and_what_is_apart() -> None:
    found = rows(monitored(), invoiced())
    assert tuple(found[0]) == COLUMNS
    assert [(row["source"], row["meter"], row["status"]) for row in found] == [
        ("metrics", "prompt", "explained"),
        ("metrics", "requests", "agrees"),
        ("metrics", found[2]["meter"], "apart"),
        ("metrics", "requests answered 429", "apart"),
        ("invoice", "input", "unexplained"),
        ("invoice", found[5]["meter"], "apart"),
        ("invoice", "'=Provisioned", "apart"),
    ]
    assert found[0]["causes"] == "uncounted 500"
    assert (found[4]["amount_difference"], found[4]["currency"]) == ("0.00001", "USD")
    assert found[5]["causes"] == "other_charges"  # the rounding of the statement
    assert (found[6]["provider"], found[6]["provider_amount"]) == ("24.5", "24.5")
    assert total(Decimal(row["ledger"] or 0) for row in found[:2]) == 1002


def test_no_cell_starts_a_formula() -> None:
    item = prompt(deployment="=cmd")
    found = rows(compared(ledger_reading([]).side(), provider(counts=counts(1, item=item))))
    assert found[0]["deployment"] == "'=cmd"


def test_a_table_tells_capture_differences_and_the_verdict() -> None:
    text = table(monitored(), invoiced())
    assert max(map(len, text.splitlines())) <= 80
    assert "Ledger against Azure Monitor, 2026-10 (UTC): x\n" in text
    assert "weu-1    gpt-4o-mini  tokens     1,000     1,500  66.6666 %" in text
    assert "2026-10-15  weu-1 gpt-4o-mini prompt        +500  uncounted +500" in text
    assert "uncounted: requests that are pending or unknown in the ledger" in text
    assert "Every difference is explained.\n" in text
    assert "Not compared, as Azure Monitor does not tell them: completion.\n" in text
    assert "  3 requests: requests answered 429\n" in text
    assert "Ledger against the invoice, 2026-10 (UTC), in USD: x\n" in text
    assert "price/1M 0.15 here," in text
    assert "Unexplained: 1 of 1 lines, 0.00001 USD.\n" in text
    assert "  quantity 24.5 of 1 Hour, 24.5 USD: =Provisioned\n" in text


def test_a_table_tells_what_is_unexplained_first() -> None:
    cells = [money_cell(), UNCOUNTED, money_cell(hour="2026-10-16T12")]
    side = provider(counts=counts(1500) | counts(2, item=prompt(meter="requests")))
    text = table(compared(ledger_reading(cells).side(), side))
    assert text.index("2026-10-16") < text.index("2026-10-15")
    assert "Unexplained: 2 of 4 lines, 1,000 tokens, 1 requests.\n" in text


def test_a_table_of_all_that_agrees_is_short() -> None:
    cells = [money_cell(usage=used(1000))]
    text = table(compared(ledger_reading(cells).side(), agreeing(cells, "metrics", card())))
    assert "All 2 lines agree.\n" in text
    assert "difference" not in text


def test_a_table_has_no_more_than_people_read() -> None:
    many = {
        key: each
        for number in range(MAX_ROWS + 2)
        for key, each in counts(1, item=prompt(deployment=f"d{number:02}")).items()
    }
    text = table(compared(ledger_reading([]).side(), provider(counts=many)))
    assert "and 2 more; --format csv has every one\n" in text


def test_a_table_tells_what_may_grow_and_who_is_unknown() -> None:
    terms = Terms(now=datetime(2026, 10, 15, tzinfo=UTC))
    other = counts(5, item=prompt(backend="weu-9"))
    text = table(compared(ledger_reading([money_cell()]).side(), provider(counts=other), terms))
    assert "Nothing to compare.\n" in text
    assert "From 2026-10-14 on Azure Monitor may still grow: 3 lines are not counted.\n" in text
    assert "No backend of the ledger has the name of weu-9. It has weu-1; if one" in text


def test_a_table_tells_what_is_on_nobodys_statement() -> None:
    direct = counts(1500) | counts(3, item=prompt(meter="requests"))
    text = table(compared(ledger_reading([]).side(), provider(counts=direct)))
    assert "On nobody's statement, as it bypassed the gateway: 1,500 tokens.\n" in text
    billed = {(THE_15TH, Item(meter="odd")): Provided(quantity=70, amount=Decimal("1.50"))}
    text = table(compared(ledger_reading([]).side(), provider("invoice", counts=billed)))
    assert "On nobody's statement, as it bypassed the gateway: 70 tokens and 1.5 USD.\n" in text


def test_a_table_tells_what_is_tolerated() -> None:
    terms = Terms(now=datetime(2026, 12, 1, tzinfo=UTC), tolerance=Decimal("0.5"))
    silent = frozenset({"requests", "completion"})
    side = provider(counts=counts(1001), silent=silent)
    text = table(compared(ledger_reading([money_cell()]).side(), side, terms))
    assert "Every difference is explained or within the tolerance.\n" in text


def test_a_provider_without_anything_has_no_capture() -> None:
    text = table(compared(ledger_reading([money_cell()]).side(), provider()))
    assert "n/a" in text


@pytest.mark.parametrize("colour", [True, False])
def test_styles_are_for_terminals(*, colour: bool) -> None:
    assert ("\x1b[" in as_table(OCTOBER, [monitored()], 80, colour=colour)) is colour


def test_an_entry_as_json() -> None:
    reading = ledger_reading([money_cell()], "invoice", card())
    ((_, item),) = reading.side("USD").counts
    billed = {
        (THE_15TH, item): Provided(quantity=1000, amount=Decimal(2)),
        (THE_15TH, Item(meter="odd")): Provided(quantity=1, amount=Decimal(1)),
    }
    found = compared(reading.side("USD"), provider("invoice", counts=billed))
    proportional = json.loads(true_up_json(true_up(OCTOBER, found, reading.owed, "proportional")))
    assert (proportional["amount"], proportional["provider_amount"]) == ("3.00", "3")
    assert [(line["tenant"], line["amount"]) for line in proportional["lines"]] == [
        ("contoso", "2.00"),
        ("unallocated", "1.00"),
    ]
    one = json.loads(true_up_json(true_up(OCTOBER, found, reading.owed, "unallocated")))
    assert [(line["meter"], line["amount"]) for line in one["lines"]] == [(None, "3.00")]
