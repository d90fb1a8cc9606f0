from __future__ import annotations

import pytest
from accounting import OCTOBER, card, money_cell, rate, sku, used, user_cell

from accountant.report import month_report
from accountant.report_table import as_table
from tollgate.ledger.cells import OVERFLOW, MoneyCell, Usage, UserCell

BY = ("tenant", "billing_code", "model")


def table(
    *cells: MoneyCell | UserCell, by: tuple[str, ...] = BY, width: int = 80
) -> list[list[str]]:
    text = as_table(month_report(OCTOBER, by, cells, card()), width)
    return [line.split() for line in text.splitlines() if line]


def test_a_line_has_its_quantity_price_and_amount() -> None:
    assert ["CC-1001", "gpt-4o-mini", "input", "1,234,567", "0.15/1M", "0.18518505"] in table(
        money_cell(usage=used(1_234_567))
    )


def test_every_tenant_has_a_statement_that_adds_up() -> None:
    cells = [money_cell(tenant=name, usage=used(100_000)) for name in ("contoso", "fabrikam")]
    shown = table(*cells)
    assert shown.count(["rounding", "0.005"]) == shown.count(["statement", "0.02"]) == 2
    assert ["Total", "0.04", "USD,", "of", "which", "rounding", "0.01."] in shown


def test_without_tenants_among_the_groups_the_statements_stand_below() -> None:
    shown = table(user_cell(), user_cell(user=None), by=("user",))
    assert ["alice", "input", "1,000", "0.15/1M", "0.00015"] in shown
    assert ["(no", "user)", "input", "1,000", "0.15/1M", "0.00015"] in shown
    assert ["contoso", "-0.0003", "0.00"] in shown


def test_usage_without_a_rate_is_unpriced_and_never_zero() -> None:
    shown = table(money_cell(sku=sku(model="gpt-9", region=None)))
    assert ["CC-1001", "gpt-9", "input", "1,000", "unpriced"] in shown
    assert ["Not", "in", "the", "total,", "for", "want", "of", "a", "rate:"] in shown
    assert shown[-3][:4] == ["input", "of", "gpt-9,", "2024-07-18,"]
    assert "unknown region" in " ".join(shown[-3] + shown[-2])


@pytest.mark.parametrize("by", [BY, ("tenant",)])
def test_a_statement_says_when_a_line_is_missing_from_its_total(by: tuple[str, ...]) -> None:
    cells = [money_cell(), money_cell(sku=sku(model="gpt-9"))]
    shown = [" ".join(line) for line in table(*cells, by=by, width=120)]
    assert "statement priced lines 0.00" in shown


def test_a_tenant_that_used_nothing_has_no_empty_table() -> None:
    shown = table(money_cell(tenant="unallocated", usage=Usage(3, {})))
    assert ["nothing", "used"] in shown
    assert not any("meter" in line for line in shown)


def test_coverage_counts_every_request() -> None:
    pending = money_cell(sku=sku(provenance="pending"), usage=Usage(1, {}))
    estimated = money_cell(sku=sku(provenance="estimated"))
    shown = table(money_cell(usage=used(requests=1200)), pending, estimated)
    assert " ".join(shown[-1]) == "1,202 requests: 1,200 measured, 1 estimated, 1 pending."


def test_a_line_says_where_its_count_is_from_unless_it_was_measured() -> None:
    cells = [money_cell(sku=sku(provenance=name)) for name in ("measured", "estimated")]
    shown = [" ".join(line) for line in table(*cells, width=120)]
    assert "CC-1001 gpt-4o-mini input 1,000 0.15/1M 0.00015" in shown
    assert "CC-1001 gpt-4o-mini input (estimated) 1,000 0.15/1M 0.00015" in shown


def test_names_that_are_missing_are_words() -> None:
    shown = table(money_cell(billing_code=None), money_cell(billing_code=OVERFLOW))
    assert [line[0] for line in shown if "input" in line] == ["(overflow)", "(unallocated)"]


@pytest.mark.parametrize("colour", [False, True])
def test_markup_in_names_is_shown_and_not_interpreted(*, colour: bool) -> None:
    names = money_cell(tenant="[red]a[/red]", billing_code="[link=x]b", sku=sku(model="[/]"))
    shown = as_table(month_report(OCTOBER, BY, [names], card()), 120, colour=colour)
    for name in ("[red]a[/red]", "[link=x]b", "[/]"):
        assert name in shown


def test_only_a_terminal_gets_styles() -> None:
    found = month_report(OCTOBER, BY, [money_cell()], card())
    assert "\x1b[" in as_table(found, 80, colour=True)
    assert "\x1b" not in as_table(found, 80)


@pytest.mark.parametrize("width", [80, 120])
def test_long_names_stay_whole_within_the_width(width: int) -> None:
    long = user_cell(billing_code="B" * 60, user="J" * 60)
    text = as_table(month_report(OCTOBER, ("billing_code", "user"), [long], card()), width)
    assert (text.count("B"), text.count("J")) == (60, 60)
    assert max(map(len, text.splitlines())) <= width


def test_a_price_of_one_is_not_per_a_million() -> None:
    priced = card(rate("0.04", meter="images", per=1), rate("1.5", per=1000), rate(meter="output"))
    cells = [money_cell(usage=used(2, meter="images")), money_cell()]
    text = as_table(month_report(OCTOBER, ("tenant",), cells, priced), 80)
    assert "0.04" in text.split()
    assert "1.5/1K" in text.split()
