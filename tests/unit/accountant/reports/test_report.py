from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from accounting import OCTOBER, card, ledger_of, money_cell, rate, sku, used, user_cell
from builders import event
from exporting import owed, usage

from accountant.charges import Allocation, Correction
from accountant.reports.report import MonthFacts, Report, charge_report, month_report
from tollgate.ledger.cells import OVERFLOW, Meter, MoneyCell, Usage, UserCell

BY = ("tenant", "billing_code", "model")


def report(*cells: MoneyCell | UserCell, by: tuple[str, ...] = BY) -> Report:
    return month_report(OCTOBER, by, cells, card())


def test_cells_of_one_group_and_price_are_one_line() -> None:
    (line,) = report(money_cell(), money_cell(hour="2026-10-01T00")).lines
    assert (line.group, line.quantity, line.requests) == (
        ("contoso", "CC-1001", "gpt-4o-mini"),
        2000,
        2,
    )
    assert line.amount == Decimal("0.0003")


def test_groups_follow_what_was_asked_for() -> None:
    cells = (user_cell(), user_cell(user=None), user_cell(user="bob", sku=sku(region="eastus")))
    found = report(*cells, by=("region", "user"))
    assert [line.group for line in found.lines] == [
        ("eastus", "bob"),
        ("westeurope", "alice"),
        ("westeurope", None),
    ]


def test_provenances_are_lines_of_their_own_in_the_contracts_order() -> None:
    cells = [money_cell(sku=sku(provenance=name)) for name in ("backfilled", "measured")]
    assert [line.provenance for line in report(*cells).lines] == ["measured", "backfilled"]


def test_a_new_price_within_the_month_is_a_line_of_its_own() -> None:
    change = date(2026, 10, 16)
    changed = card(rate("2", effective_to=change), rate("1", effective_from=change))
    cells = [money_cell(hour="2026-10-16T00"), money_cell(hour="2026-10-15T23")]
    found = month_report(OCTOBER, BY, cells, changed)
    assert [line.unit_price for line in found.lines] == [1, 2]


def test_a_long_prompt_has_the_price_of_its_band() -> None:
    banded = card(rate("1"), rate("2", prompt_band="512000+"))
    cells = [money_cell(), money_cell(sku=sku(prompt_band="512000+"))]
    found = month_report(OCTOBER, BY, cells, banded)
    assert [(line.unit_price, line.quantity) for line in found.lines] == [(1, 1000), (2, 1000)]


def test_meters_stand_in_the_contracts_order_and_units_behind_them() -> None:
    meters = ("images", "output", "cached_input", "audio_input", "input")
    usage = Usage(1, {meter: Meter(1, 1) for meter in meters})
    found = month_report(
        OCTOBER, ("tenant",), [money_cell(usage=usage)], card(*(rate(meter=m) for m in meters))
    )
    assert [line.meter for line in found.lines] == [
        "input",
        "cached_input",
        "audio_input",
        "output",
        "images",
    ]


def test_overflow_and_unallocated_stand_behind_the_names() -> None:
    codes = (None, OVERFLOW, "CC-2", "CC-1")
    found = report(*(money_cell(billing_code=code) for code in codes), by=("billing_code",))
    assert [line.group[0] for line in found.lines] == ["CC-1", "CC-2", OVERFLOW, None]


def test_usage_without_a_rate_says_which_rate_is_missing() -> None:
    found = report(money_cell(sku=sku(model="gpt-9", service_tier=None)), money_cell())
    (missing,) = found.unpriced
    assert (missing.group[2], missing.quantity, missing.requests) == ("gpt-9", 1000, 1)
    assert missing.rate_for == {
        "model": "gpt-9",
        "model_version": "2024-07-18",
        "deployment_type": "standard",
        "scope": "regional",
        "region": "westeurope",
        "service_tier": "default",
        "prompt_band": "0-32000",
    }
    assert [line.group[2] for line in found.lines] == ["gpt-4o-mini"]
    assert found.statements[0].unpriced == 1


def test_usage_that_is_not_known_is_a_line_of_each_group_and_provenance() -> None:
    def cell(name: str, **changes: Any) -> MoneyCell:
        return money_cell(sku=sku(provenance=name, **changes), usage=Usage(2, {}))

    cells = [cell("unknown"), cell("pending", region="eastus"), cell("pending"), money_cell()]
    found = report(*cells, cell("none"), cell("pending", model="gpt-9"))
    seen = [(line.group[2], line.provenance, line.requests) for line in found.unpriced]
    assert seen == [
        ("gpt-4o-mini", "pending", 4),
        ("gpt-4o-mini", "unknown", 2),
        ("gpt-9", "pending", 2),
    ]
    for line in found.unpriced:
        assert (line.meter, line.quantity, line.unit, line.rate_for) == (None, None, None, None)
    assert found.statements[0].unpriced == 3


def test_usage_that_became_known_leaves_no_line() -> None:
    assert report(money_cell(sku=sku(provenance="pending"), usage=Usage(0, {}))).unpriced == []


def test_coverage_counts_requests_without_a_count_too() -> None:
    pending = money_cell(sku=sku(provenance="pending"), usage=Usage(2, {}))
    found = report(pending, money_cell(usage=used(requests=3)))
    assert found.requests == 5
    assert found.coverage == {
        "measured": 3,
        "injected": 0,
        "estimated": 0,
        "backfilled": 0,
        "pending": 2,
        "unknown": 0,
        "none": 0,
    }


@pytest.mark.parametrize("by", [BY, ("model",)])
def test_each_statement_is_rounded_once_whatever_the_groups(by: tuple[str, ...]) -> None:
    """Two tenants owe 0.0075 each: together 0.015, but 0.01 and 0.01 on their statements."""
    cells = [
        money_cell(tenant=tenant, billing_code=code, usage=used(25_000))
        for tenant in ("contoso", "fabrikam")
        for code in ("CC-1", "CC-2")
    ]
    found = report(*cells, by=by)
    assert [str(each.total) for each in found.statements] == ["0.01", "0.01"]
    assert (str(found.total), found.rounding) == ("0.02", Decimal("0.005"))


def test_a_tenant_with_nothing_priced_has_a_statement() -> None:
    found = report(money_cell(sku=sku(provenance="pending"), usage=Usage(1, {})))
    assert [(each.tenant, str(each.total)) for each in found.statements] == [("contoso", "0.00")]


def test_a_month_without_usage_is_an_empty_report() -> None:
    found = report()
    assert (found.lines, found.unpriced, found.requests, str(found.total)) == ([], [], 0, "0.00")


def test_reasoning_is_shown_inside_output() -> None:
    (cell,) = ledger_of([event()]).money_cells(OCTOBER)
    lines = {line.meter: line for line in report(cell).lines}
    assert (lines["output"].quantity, lines["output"].requests) == (120, 1)
    assert msgspec.structs.asdict(lines["cached_input"])["amount"] == Decimal("0.000048")


def test_requests_without_a_count_are_counted_by_tenant() -> None:
    waiting = money_cell(usage=Usage(2, {}), sku=sku(provenance="pending"))
    lost = money_cell(usage=Usage(3, {}), sku=sku(provenance="unknown"))
    cells = [waiting, lost, money_cell(tenant="fabrikam")]
    found = report(*cells)
    assert {each.tenant: each.unmetered for each in found.statements} == {
        "contoso": 5,
        "fabrikam": 0,
    }


def test_what_is_not_metered_is_an_entry_of_its_own_and_in_the_total() -> None:
    facts = MonthFacts(period=OCTOBER, currency="USD", requests={("contoso", "measured"): 1})
    part = Allocation(cost="gateway", method="even", share="1/2", whole=Decimal(5))
    found = charge_report(facts, BY, [usage(), owed("2.50", allocation=part)])
    assert [(each.description, each.amount) for each in found.entries] == [
        ("gpt-4o-mini input tokens", Decimal("2.50"))
    ]
    assert (str(found.total), len(found.lines)) == ("2.50", 1)


def test_a_correction_is_never_a_line_of_the_month_it_is_booked_in() -> None:
    facts = MonthFacts(period=OCTOBER, currency="USD", requests={})
    late = Correction(month="2026-09", statement="2026-09-0001", line=3, reason="usage")
    found = charge_report(facts, BY, [usage(correction=late)])
    assert (found.lines, len(found.entries)) == ([], 1)
    assert found.statements[0].exact == Decimal("0.00015")


def test_usage_by_user_says_who_used_it() -> None:
    found = charge_report(
        MonthFacts(period=OCTOBER, currency="USD", requests={}), ["user"], [usage(user="alice")]
    )
    assert [line.group for line in found.lines] == [("alice",)]
