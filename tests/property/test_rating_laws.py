"""What holds for any usage and any rate card."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, localcontext
from random import Random

import hypothesis.strategies as st
from accounting import OCTOBER, ledger_of, month_cells, rate, rule
from builders import event
from hypothesis import given, settings

from accountant.edition import Edition
from accountant.meters import unit_of
from accountant.money import EXACT, amount_of, total
from accountant.rate_cards.rate_card import Rate, RateCard
from accountant.rating import rate_cells
from accountant.reports.report import GROUPS, MonthFacts, Report, charge_report, month_report
from accountant.reports.report_json import as_json
from accountant.usage_charges import counted, month_charges
from tollgate.ledger.cell_sums import cell_sums
from tollgate.usage.event import UsageEvent
from tollgate.usage.sku import PROMPT_BAND_LIMITS
from tollgate.usage.tokens import NO_TOKENS, Tokens, leaves

LAW = settings(deadline=None, max_examples=50)  # the first frame of a process takes its time
CHANGE = date(2026, 10, 16)
START = datetime(2026, 10, 15, 22, tzinfo=UTC)
NAMES = st.sampled_from(["a", "b"])
PRICES = st.decimals("0", "1000", places=9)
METERS = ("input", "cached_input", "cache_write_input", "output", "audio_output", "images")
TIERS = st.sampled_from([None, "default", "priority"])
TYPES = st.sampled_from(["standard", "batch"])


PROMPTS = st.integers(0, 10**6) | st.sampled_from(
    [limit + more for limit in PROMPT_BAND_LIMITS for more in (0, 1)]
)


@st.composite
def tokens(draw: st.DrawFn) -> Tokens:
    whole, output = draw(PROMPTS), draw(st.integers(0, 10**6))
    cached = draw(st.integers(0, whole))
    audio = draw(st.integers(0, output))
    return Tokens(
        input=whole,
        cached_input=cached,
        cache_write_input=draw(st.integers(0, whole - cached)),
        output=output,
        audio_output=audio,
        reasoning_output=draw(st.integers(0, output - audio)),
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
            service_tier=draw(TIERS),
            deployment_type=draw(TYPES),
        )
        for number in range(draw(st.integers(1, 8)))
    ]


# Meter to its price before the 16th, from then on, of long prompts, of priority and of batch.
TABLES = st.fixed_dictionaries({meter: st.tuples(*[PRICES] * 5) for meter in METERS})
# Tenant a's discount before the 16th and from then on, and everyone's mark-up.
PER_CENTS = st.tuples(*[st.decimals("0.0001", "100", places=4)] * 3)


def card_of(table: dict[str, tuple[Decimal, ...]], per_cents: tuple[Decimal, ...]) -> RateCard:
    rates: list[Rate] = []
    for meter, prices in table.items():
        old, new, long, fast, batch = map(str, prices)
        standard = {"meter": meter, "deployment_type": "standard"}
        rates += [
            rate(old, meter=meter, effective_to=CHANGE),
            rate(new, meter=meter, effective_from=CHANGE),
            rate(long, **standard, service_tier="default", prompt_band="512000+"),
            rate(fast, **standard, service_tier="priority"),
            rate(batch, meter=meter, deployment_type="batch"),
        ]
    less, more, extra = map(str, per_cents)
    rules = [
        rule(less, tenant="a", effective_to=CHANGE),
        rule(more, tenant="a", effective_from=CHANGE),
        rule(extra, kind="markup", name="platform"),
    ]
    return RateCard(rates, rules)


CARDS = st.builds(card_of, TABLES, PER_CENTS)
BY = st.lists(st.sampled_from(GROUPS), unique=True, max_size=3)


def report(events: list[UsageEvent], card: RateCard, by: list[str]) -> Report:
    return month_report(OCTOBER, by, month_cells(ledger_of(events), OCTOBER, by), card)


def priced(events: list[UsageEvent], card: RateCard) -> Decimal:
    lines = rate_cells(ledger_of(events).money_cells(OCTOBER), card)
    return total(line.rated.amount or Decimal(0) for line in lines)


@LAW
@given(usage(), CARDS)
def test_pricing_cells_is_pricing_their_events_one_by_one(
    events: list[UsageEvent], card: RateCard
) -> None:
    assert priced(events, card) == total(priced([each], card) for each in events)


@LAW
@given(usage(), TABLES, PER_CENTS)
def test_each_event_has_the_price_of_its_day_band_tier_and_type(
    events: list[UsageEvent],
    table: dict[str, tuple[Decimal, ...]],
    per_cents: tuple[Decimal, ...],
) -> None:
    card = card_of(table, per_cents)
    for each in events:
        if each.data.model == "gpt-4o-mini":
            assert priced([each], card) == by_hand(each, table, per_cents)


def by_hand(
    each: UsageEvent, table: dict[str, tuple[Decimal, ...]], per_cents: tuple[Decimal, ...]
) -> Decimal:
    """What an event costs, worked out from the table without a card."""
    data, column = each.data, int(each.time.date() >= CHANGE)
    tokens = data.tokens or NO_TOKENS
    less = per_cents[column] if data.tenant == "a" else Decimal(0)
    factor = (1 - less / 100) * (1 + per_cents[2] / 100)
    if data.deployment_type == "batch":
        column = 4
    elif data.service_tier == "priority":
        column = 3
    elif tokens.input > 512_000:
        column = 2
    used = {**leaves(tokens), **data.units}
    used["output"] = used.get("output", 0) + used.pop("reasoning_output", 0)
    with localcontext(EXACT):
        return sum(
            (count * table[meter][column] / 10**6 * factor for meter, count in used.items()),
            Decimal(0),
        )


@LAW
@given(usage(), CARDS, BY)
def test_lines_and_rounding_add_up_to_the_total(
    events: list[UsageEvent], card: RateCard, by: list[str]
) -> None:
    found = report(events, card, by)
    assert total([*(line.amount for line in found.lines), found.rounding]) == found.total
    assert total(each.total for each in found.statements) == found.total
    assert total(line.amount for line in found.lines) == priced(events, card)


@LAW
@given(usage(), CARDS, BY)
def test_every_line_is_its_quantity_at_its_price(
    events: list[UsageEvent], card: RateCard, by: list[str]
) -> None:
    for line in report(events, card, by).lines:
        assert line.amount == amount_of(line.quantity, line.unit_price, line.per)
        assert line.unit == unit_of(line.meter)


@LAW
@given(usage(), CARDS, BY)
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
@given(usage(), CARDS, BY, st.randoms())
def test_the_order_of_cells_changes_no_byte(
    events: list[UsageEvent], card: RateCard, by: list[str], random: Random
) -> None:
    cells = list(month_cells(ledger_of(events), OCTOBER, by))
    before = as_json(month_report(OCTOBER, by, cells, card))
    random.shuffle(cells)
    assert as_json(month_report(OCTOBER, by, cells, card)) == before


@LAW
@given(usage(), CARDS, BY)
def test_charging_by_spans_of_equal_prices_is_charging_by_days(
    events: list[UsageEvent], card: RateCard, by: list[str]
) -> None:
    cells, requests = month_cells(ledger_of(events), OCTOBER, by), Counter[tuple[str, str]]()
    list(counted(cell_sums(cells, OCTOBER.days()), requests))
    facts = MonthFacts(
        period=OCTOBER,
        currency=card.currency,
        requests=requests,
        edition=Edition(rate_card=card.version),
    )
    by_days = charge_report(facts, by, month_charges(OCTOBER, cells, card))
    assert month_report(OCTOBER, by, cells, card) == by_days


@LAW
@given(usage(), CARDS)
def test_money_and_user_cells_give_the_same_statements(
    events: list[UsageEvent], card: RateCard
) -> None:
    by_hour, by_user = report(events, card, ["tenant"]), report(events, card, ["tenant", "user"])
    exact = [
        [(each.tenant, each.exact) for each in found.statements] for found in (by_hour, by_user)
    ]
    assert exact[0] == exact[1]
    assert (by_hour.total, by_hour.rounding) == (by_user.total, by_user.rounding)
