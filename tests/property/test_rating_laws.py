"""What holds for any usage and any rate card."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random

import hypothesis.strategies as st
from accounting import OCTOBER, ledger_of, rate
from builders import event
from hypothesis import given, settings

from accountant.money import amount_of, total
from accountant.rate_card import Rate, RateCard
from accountant.rating import rate_cells, unit_of
from accountant.report import GROUPS, Report, month_cells, month_report
from accountant.report_json import as_json
from tollgate.usage.event import UsageEvent
from tollgate.usage.tokens import Tokens

LAW = settings(deadline=None, max_examples=50)  # the first frame of a process takes its time
CHANGE = date(2026, 10, 16)
START = datetime(2026, 10, 15, 22, tzinfo=UTC)
NAMES = st.sampled_from(["a", "b"])
PRICES = st.decimals("0", "1000", places=9)
METERS = ("input", "cached_input", "output", "images")


@st.composite
def tokens(draw: st.DrawFn) -> Tokens:
    whole, output = draw(st.integers(0, 10**6)), draw(st.integers(0, 10**6))
    return Tokens(
        input=whole,
        cached_input=draw(st.integers(0, whole)),
        output=output,
        reasoning_output=draw(st.integers(0, output)),
    )


@st.composite
def usage(draw: st.DrawFn) -> list[UsageEvent]:
    """Events of two tenants around the hour at which prices change."""
    return [
        event(
            f"req-{number}",
            START + timedelta(minutes=draw(st.integers(0, 240))),
            tenant=draw(NAMES),
            billing_code=draw(st.none() | NAMES),
            user=draw(st.none() | NAMES),
            model=draw(st.sampled_from(["gpt-4o-mini", "gpt-9"])),
            tokens=draw(tokens()),
            units={"images": draw(st.integers(0, 3))},
        )
        for number in range(draw(st.integers(1, 8)))
    ]


@st.composite
def cards(draw: st.DrawFn) -> RateCard:
    """Every meter changes its price on the 16th; long prompts cost something else."""
    rates: list[Rate] = []
    for meter in METERS:
        old, new, long = (str(draw(PRICES)) for _ in range(3))
        rates += [
            rate(old, meter=meter, effective_to=CHANGE),
            rate(new, meter=meter, effective_from=CHANGE),
            rate(long, meter=meter, prompt_band="512000+"),
        ]
    return RateCard(rates)


BY = st.lists(st.sampled_from(GROUPS), unique=True, max_size=3)


def report(events: list[UsageEvent], card: RateCard, by: list[str]) -> Report:
    return month_report(OCTOBER, by, month_cells(ledger_of(events), OCTOBER, by, None), card)


def priced(events: list[UsageEvent], card: RateCard) -> Decimal:
    lines = rate_cells(ledger_of(events).money_cells(OCTOBER), card)
    return total(line.rated.amount or Decimal(0) for line in lines)


@LAW
@given(usage(), cards())
def test_pricing_cells_is_pricing_their_events_one_by_one(
    events: list[UsageEvent], card: RateCard
) -> None:
    assert priced(events, card) == total(priced([each], card) for each in events)


@LAW
@given(usage(), cards(), BY)
def test_lines_and_rounding_add_up_to_the_total(
    events: list[UsageEvent], card: RateCard, by: list[str]
) -> None:
    found = report(events, card, by)
    assert total([*(line.amount for line in found.lines), found.rounding]) == found.total
    assert total(each.total for each in found.statements) == found.total
    assert total(line.amount for line in found.lines) == priced(events, card)


@LAW
@given(usage(), cards(), BY)
def test_every_line_is_its_quantity_at_its_price(
    events: list[UsageEvent], card: RateCard, by: list[str]
) -> None:
    for line in report(events, card, by).lines:
        assert line.amount == amount_of(line.quantity, line.unit_price, line.per)
        assert line.unit == unit_of(line.meter)


@LAW
@given(usage(), cards(), BY)
def test_no_usage_is_lost_between_lines_and_those_without_a_rate(
    events: list[UsageEvent], card: RateCard, by: list[str]
) -> None:
    found = report(events, card, by)
    counts = [each.data.tokens for each in events if each.data.tokens]
    used = sum(count.input + count.output for count in counts)
    lines = (*found.lines, *found.unpriced)
    assert sum(line.quantity or 0 for line in lines if line.unit == "token") == used
    assert found.requests == len(events)


@LAW
@given(usage(), cards(), BY, st.randoms())
def test_the_order_of_cells_changes_no_byte(
    events: list[UsageEvent], card: RateCard, by: list[str], random: Random
) -> None:
    cells = list(month_cells(ledger_of(events), OCTOBER, by, None))
    before = as_json(month_report(OCTOBER, by, cells, card))
    random.shuffle(cells)
    assert as_json(month_report(OCTOBER, by, cells, card)) == before


@LAW
@given(usage(), cards())
def test_money_and_user_cells_give_the_same_statements(
    events: list[UsageEvent], card: RateCard
) -> None:
    by_hour, by_user = report(events, card, ["tenant"]), report(events, card, ["tenant", "user"])
    exact = [
        [(each.tenant, each.exact) for each in found.statements] for found in (by_hour, by_user)
    ]
    assert exact[0] == exact[1]
    assert (by_hour.total, by_hour.rounding) == (by_user.total, by_user.rounding)
