from __future__ import annotations

import pytest
from accounting import OCTOBER, card, money_cell, rate, rule, sku, used, user_cell
from exporting import owed
from stating import CLOSED, REQUESTS, everything, facts

from accountant.charges import Correction
from accountant.money import plain
from accountant.rate_cards.rate_card import RateCard
from accountant.reports.report import GROUPS, charge_report, month_report
from accountant.reports.report_table import as_table
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
    assert ["—", "no", "user", "—", "input", "1,000", "0.15/1M", "0.00015"] in shown
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


def test_usage_that_is_not_known_is_uncounted_and_never_zero() -> None:
    pending = money_cell(sku=sku(provenance="pending"), usage=Usage(1, {}))
    shown = [" ".join(line) for line in table(pending, width=120)]
    assert "CC-1001 gpt-4o-mini tokens not known (pending) 1 request uncounted" in shown
    assert "statement priced lines 0.00" in shown
    assert "Not in the total, for want of a count: 1 request (contoso 1)." in shown
    assert not any("want of a rate" in line for line in shown)


def test_the_list_of_statements_says_whose_total_is_not_of_all_lines() -> None:
    pending = money_cell(sku=sku(provenance="pending"), usage=Usage(1, {}))
    shown = table(money_cell(tenant="a"), pending, by=("model",))
    assert ["a", "-0.00015", "0.00"] in shown
    assert ["contoso", "priced", "lines", "0", "0.00"] in shown


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
    assert [line[1] for line in shown if "input" in line] == ["overflow", "unallocated"]


@pytest.mark.parametrize("colour", [False, True])
def test_markup_in_names_is_shown_and_not_interpreted(*, colour: bool) -> None:
    names = money_cell(tenant="[red]a[/red]", billing_code="[link=x]b", sku=sku(model="[/]"))
    shown = as_table(month_report(OCTOBER, BY, [names], card()), 120, colour=colour)
    for name in ("[red]a[/red]", "[link=x]b", "[/]"):
        assert name in shown


def test_what_turns_text_around_does_not_reach_the_terminal() -> None:
    name = "a\u202eb\u200bc\ufeff"
    cells = [
        user_cell(tenant=name, billing_code=name, user=name, sku=sku(model=name)),
        user_cell(tenant=name, usage=used(meter=f"images:{name}")),
    ]
    for by in (GROUPS, ("region",)):
        text = as_table(month_report(OCTOBER, by, cells, card()), 200)
        assert "a\ufffdb\ufffdc\ufffd" in text
        assert not {*name} & {*text} - {*"abc"}


def test_only_a_terminal_gets_styles() -> None:
    found = month_report(OCTOBER, BY, [money_cell()], card())
    assert "\x1b[" in as_table(found, 80, colour=True)
    assert "\x1b" not in as_table(found, 80)


@pytest.mark.parametrize("width", [40, 80, 100, 120])
@pytest.mark.parametrize("by", [("tenant",), BY, GROUPS, ("model", "user")])
def test_no_width_takes_a_digit_off_a_figure(by: tuple[str, ...], width: int) -> None:
    prices = ("0.15", "12345.678901234567890123")
    priced = card(
        rate(prices[0], prompt_band="0-32000"), rate(prices[1], prompt_band="32000-128000", per=10)
    )
    bands, counts = ("0-32000", "32000-128000", "512000+"), (13_695_466_667, 10**15 + 1, 60_000)
    cells = [
        user_cell(tenant="T" * n, sku=sku(prompt_band=band), usage=used(count))
        for n in (7, 70)
        for band, count in zip(bands, counts, strict=True)
    ]
    found = month_report(OCTOBER, by, cells, priced)
    text = as_table(found, width)
    figures = {f"{line.quantity:,}" for line in (*found.lines, *found.unpriced)}
    figures |= {plain(line.amount) for line in found.lines}
    figures |= {f"{prices[0]}/1M", f"{prices[1]}/10", str(found.total)}
    figures |= {str(each.total) for each in found.statements}
    figures |= {plain(each.rounding) for each in found.statements}
    assert len(found.lines) >= 2
    assert figures <= {*text.split()}
    assert {"unpriced", "quantity", "amount"} <= {*text.split()}


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


def test_a_line_says_what_was_done_to_the_list_price() -> None:
    prices = RateCard([rate()], [rule("12.5")])
    shown = as_table(month_report(OCTOBER, ("tenant",), [money_cell()], prices), 120)
    (line,) = (line.split() for line in shown.splitlines() if line.startswith("input"))
    assert " ".join(line) == "input; list 0.15, EA -12.5% 1,000 0.13125/1M 0.00013125"


def test_what_is_owed_beside_usage_stands_below_it() -> None:
    found = charge_report(facts(REQUESTS, CLOSED), BY, everything())
    lines = [" ".join(line.split()) for line in as_table(found, 160).splitlines()]
    assert lines[0] == "Chargeback 2026-10 (UTC), closed, in USD"
    assert "contoso, statement 2026-10-0001" in lines
    assert "CC-1001 a cost -2" in lines
    assert "CC-1001 a cost (used, 1/3 of 100) 33.34" in lines
    assert "CC-1001 a cost (corrects line 4 of 2026-09-0001) 0.004" in lines
    waived = "Let pass at the close by Ada: unpriced gpt-9, as a preview without a price"
    assert waived in lines


def test_a_correction_of_what_was_not_there_says_so() -> None:
    new = Correction(month="2026-09", statement=None, line=None, reason="price")
    entry = owed("1.5", category="Adjustment", correction=new)
    found = charge_report(facts(), ("model",), [entry])
    assert "(corrects a new line of 2026-09)" in as_table(found, 160)
