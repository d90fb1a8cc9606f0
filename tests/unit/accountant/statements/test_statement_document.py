from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from accounting import money_cell, rate, rule
from exporting import owed, usage
from stating import CLOSED, REQUESTS, document, everything, facts, statement

from accountant.charges import Charge, Correction, Price
from accountant.rate_cards.rate_card import Exchange, RateCard
from accountant.statements.document import Cell, Document, Table
from accountant.statements.statement_document import statement_document
from accountant.usage_charges import month_charges


def table(found: Document, title: str) -> Table:
    (chosen,) = (each for each in found.tables if each.title == title)
    return chosen


def cells(found: Document, title: str) -> list[tuple[Cell, ...]]:
    return [row.cells for row in table(found, title).rows]


def test_the_head_says_what_it_is() -> None:
    found = document()
    assert (found.title, found.whose) == ("Statement for October 2026", "contoso")
    assert (found.status, found.currency, found.owed) == ("closed", "USD", Decimal("37.49"))
    said = dict(found.facts)
    assert said["Statement no."] == "2026-10-0001"
    assert said["Period"] == "1 October 2026 to 31 October 2026, whole days"
    assert (said["Time zone"], said["Currency"]) == ("UTC", "USD")
    assert said["Status"].startswith("Closed: it never changes")
    assert (said["Rate card"], said["Closed on"]) == ("3f2a9c11d0", "5 November 2026 (UTC)")
    assert said["Last usage counted"] == "15 October 2026"


def test_a_draft_says_that_it_changes() -> None:
    said = dict(document(everything(), facts()).facts)
    assert said["Statement no."] == "none, it is a draft"
    assert said["Status"].startswith("Draft: it follows the ledger")
    assert "Closed on" not in said


def test_a_restated_month_names_what_corrects_it() -> None:
    edition = msgspec.structs.replace(CLOSED, status="restated", restated_by=("2026-11",))
    said = dict(document(everything(), facts(edition=edition)).facts)
    assert said["Restated by"] == "2026-11"


def test_what_is_missing_or_estimated_is_said_before_anything_else() -> None:
    assert document().notices == [
        "Not in the total: 1 line of usage has no rate.",
        "Not in the total: 3 requests have no count.",
        "6.00 USD is estimated: the provider gave no count.",
        "6.00 USD is for no billing code.",
    ]
    assert document([usage()], facts()).notices == []


def test_billing_codes_rounding_and_total_add_up() -> None:
    *parts, owed = cells(document(), "What the total is made of")
    assert owed[0] == "Total"
    assert [row[0] for row in parts] == [
        "CC-1001",
        "— unallocated —",
        "Rounding to the smallest unit",
    ]
    amounts = [Decimal(str(row[-1])) for row in parts]
    assert sum(amounts) == owed[-1] == Decimal("37.49")


def test_parts_that_nothing_is_of_have_no_column() -> None:
    found = table(document([usage()], facts()), "What the total is made of")
    assert [column.heading for column in found.columns] == ["Billing code", "Amount"]


def test_usage_is_numbered_and_summed() -> None:
    assert cells(document(), "Usage") == [
        (1, "CC-1001", "gpt-4o-mini", "input tokens", "measured", 1_000_000, Decimal("0.15"),
         1_000_000, Decimal("0.15")),
        (2, "— unallocated —", "gpt-4o-mini", "input tokens", "estimated", 40_000_000,
         Decimal("0.15"), 1_000_000, Decimal(6)),
        (None, "Sum of usage", None, None, None, None, None, None, Decimal("6.15")),
    ]  # fmt: skip


def test_a_discount_is_said_beside_the_price() -> None:
    prices = RateCard([rate()], [rule("10", name="EA")])
    charges = list(month_charges(facts().period, [money_cell()], prices))
    found = table(document(charges, facts()), "Usage")
    assert found.columns[-1].heading == "Price made of"
    assert found.rows[0].cells[-1] == "list 0.15, EA -10%"


def test_a_shared_cost_says_how_it_was_shared() -> None:
    row, foot = cells(document(), "Shared and fixed costs")
    assert row == (
        *(4, "CC-1001", "a cost", "a cost", "by what each used of it, hour by hour"),
        *(Decimal("33.3333"), Decimal("100.00"), Decimal("33.34")),
    )
    assert foot[-1] == Decimal("33.34")


def test_a_correction_names_what_it_corrects() -> None:
    row, _ = cells(document(), "Corrections of earlier months")
    told = (5, "CC-1001", "2026-09", "2026-09-0001", "4", "usage counted after the close")
    assert row == (*told, "a cost", Decimal("0.004"))


def test_a_correction_of_what_was_not_there_says_so() -> None:
    new = Correction(month="2026-09", statement=None, line=None, reason="price")
    found = document([owed("1.00", category="Adjustment", correction=new)], facts())
    row, _ = cells(found, "Corrections of earlier months")
    assert row[3:5] == ("it had none", "a new line")


def test_credits_stand_apart() -> None:
    row, _ = cells(document(), "Credits and other charges")
    assert (row[2], row[-1]) == ("Credit", Decimal("-2.00"))


def test_what_is_not_in_the_total_says_which_rate_it_wants() -> None:
    unpriced, uncounted = cells(document(), "Not in the total")
    assert uncounted[2:] == ("not known", "pending", None, 3, "nothing: the count is missing")
    assert unpriced[4:6] == (77, 1)
    assert str(unpriced[6]).startswith("a cost, 2024-07-18, standard")


def test_requests_are_told_by_how_they_were_counted() -> None:
    rows = cells(document(), "How the requests were counted")
    told = [(row[0], row[2], row[3], row[4]) for row in rows]
    assert told == [
        ("measured", 2, Decimal("28.6"), Decimal("0.15")),
        ("estimated", 2, Decimal("28.6"), Decimal(6)),
        ("pending", 3, Decimal("42.9"), None),
    ]


def test_what_was_let_pass_is_said_with_its_reason() -> None:
    expected = [("unpriced gpt-9", "a preview without a price", "Ada")]
    assert cells(document(), "Let pass at the close") == expected


def test_usage_by_day_adds_up_to_usage() -> None:
    found = table(document(), "Usage by day")
    assert found.detail
    assert sum(Decimal(str(row.cells[-1])) for row in found.rows) == Decimal("6.15")


def test_a_chart_of_days_has_a_bar_for_every_day() -> None:
    days, models, codes = document().charts
    assert [bar.label for bar in days.bars] == [str(day) for day in range(1, 32)]
    for chart in (days, models, codes):
        assert sum(bar.amount for bar in chart.bars) == Decimal("6.15")


def test_of_many_names_the_smallest_are_drawn_as_one() -> None:
    charges = [usage(1000 * number, billing_code=f"CC-{number}") for number in range(1, 13)]
    *_, codes = document(charges, facts()).charts
    assert [bar.label for bar in codes.bars] == [
        *(f"CC-{number}" for number in range(12, 5, -1)),
        "5 others",
    ]
    assert sum(bar.amount for bar in codes.bars) == sum(each.amount for each in charges)


def test_nothing_is_drawn_of_what_cost_nothing() -> None:
    free = Price(listed=Decimal(0), charged=Decimal(0), per=1)
    nothing: dict[str, Any] = {"amount": Decimal(0), "effective": Decimal(0), "price": free}
    assert document([usage(**nothing)], facts()).charts == []


def test_a_tenant_that_used_nothing_owes_nothing() -> None:
    found = document([], facts({("contoso", "none"): 2}))
    assert [each.title for each in found.tables] == [
        "What the total is made of",
        "How the requests were counted",
    ]
    assert found.owed == 0
    assert dict(found.facts)["Last usage counted"] == "nothing counted"


def test_the_footer_has_the_digests() -> None:
    assert document().footer == [
        "Internal charge, not a tax invoice.",
        f"SHA-256 of the content: {statement().digest}",
        f"SHA-256 of the closed month: {'ab' * 32}",
    ]
    assert len(document(everything(), facts()).footer) == 2


@pytest.mark.parametrize("name", ["a\u202eb", "c\u200bd\x07"])
def test_names_stand_without_what_turns_text_around(name: str) -> None:
    found = document(everything(billing_code=name, text=name), facts(REQUESTS))
    said = str(msgspec.to_builtins(statement_document(statement(everything(text=name)))))
    assert not {*"\u202e\u200b\x07"} & {*str(msgspec.to_builtins(found)), *said}


def test_converted_prices_name_their_rates_and_days() -> None:
    def converted(day: int, rate: str) -> Charge:
        exchange = Exchange(
            currency="USD", unit_price=Decimal("0.15"), rate=Decimal(rate), source="ECB"
        )
        price = Price(listed=Decimal(1), charged=Decimal(1), per=1_000_000, exchange=exchange)
        start = date(2026, 10, day)
        return usage(price=price, start=start, end=start + timedelta(days=1))

    charges = [converted(20, "0.8"), converted(3, "0.9"), converted(1, "0.9")]
    assert cells(document(charges, facts()), "Exchange rates of usage") == [
        (date(2026, 10, 1), date(2026, 10, 3), "USD", "USD", Decimal("0.9"), "ECB"),
        (date(2026, 10, 20), date(2026, 10, 20), "USD", "USD", Decimal("0.8"), "ECB"),
    ]


def test_the_version_of_the_costs_is_named() -> None:
    edition = msgspec.structs.replace(CLOSED, costs="25165b0e8b1f")
    assert (
        dict(document(everything(), facts(edition=edition)).facts)["Costs file"] == "25165b0e8b1f"
    )
