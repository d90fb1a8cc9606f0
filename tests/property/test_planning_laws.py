"""What holds for the planning of any months."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import hypothesis.strategies as st
from accounting import OCTOBER, card, sku
from exporting import owed, usage
from hypothesis import given, settings
from spending import SEPTEMBER, as_of, days, horizon

from accountant.charges import Charge, Consumption
from accountant.money import EXACT, total
from accountant.planning.anomalies import Watch, anomalies
from accountant.planning.anomalies_document import anomalies_document
from accountant.planning.as_of import days_of
from accountant.planning.budgets import Budget, budgets, spent_by
from accountant.planning.budgets_document import budgets_document
from accountant.planning.comparison import GROUPS, Comparison, MonthCosts, comparison
from accountant.planning.comparison_document import Months, comparison_document
from accountant.planning.daily_spend import DailySpend
from accountant.planning.economics import MonthUnits, added, top
from accountant.planning.economics_document import Economics, economics_document
from accountant.planning.effects import Effects
from accountant.planning.forecast import month_forecast
from accountant.planning.forecast_document import forecast_document
from accountant.planning.sheet_files import document_json, sheet_csv
from accountant.planning.sheet_table import document_table
from accountant.planning.sheets import Document
from tollgate.usage.periods import Month

LAW = settings(deadline=None, max_examples=60)
NAMES = st.sampled_from(["a", "b", "=c"])
AMOUNTS = st.decimals(0, 1000, places=9)
METERS = st.sampled_from(["input", "cached_input", "output", "images:hd"])


@st.composite
def metered(draw: st.DrawFn) -> Charge:
    """Any usage of October."""
    day = date(2026, 10, draw(st.integers(1, 31)))
    amount, quantity = draw(AMOUNTS), draw(st.integers(1, 10**9))
    model = draw(st.sampled_from(["gpt-4o-mini", "o1"]))
    consumed = Consumption(sku=sku(model=model), meter=draw(METERS), quantity=quantity, requests=1)
    return usage(
        tenant=draw(NAMES),
        billing_code=draw(st.none() | NAMES),
        start=day,
        end=day + timedelta(days=1),
        amount=amount,
        effective=amount,
        consumed=consumed,
    )


@st.composite
def entries(draw: st.DrawFn) -> Charge:
    """Any amount that is no usage."""
    amount = draw(st.decimals(-1000, 1000, places=9))
    category = draw(st.sampled_from(["Purchase", "Credit", "Adjustment", "Rounding"]))
    return owed(str(amount), tenant=draw(NAMES), category=category)


CHARGES = st.lists(metered() | entries(), max_size=12)
BY = st.lists(st.sampled_from(GROUPS), min_size=1, unique=True).map(tuple)
RANDOM = st.randoms(use_true_random=False)


def compared(by: Sequence[str], before: Sequence[Charge], after: Sequence[Charge]) -> Comparison:
    costs = [MonthCosts(by, as_of("2026-11-01")) for _ in range(2)]
    for charges, into in zip((before, after), costs, strict=True):
        for charge in charges:
            into.add(charge)
    return comparison(by, *costs)


def without_rounding(charges: Sequence[Charge]) -> Decimal:
    return total(each.amount for each in charges if each.category != "Rounding")


def written(document: Document) -> str:
    """A document in every format."""
    tables = [sheet_csv(document, sheet) for sheet in document.sheets]
    return "".join([*tables, document_json(document), document_table(document, 80)])


@LAW
@given(BY, CHARGES, CHARGES)
def test_effects_add_up_to_the_difference_of_any_two_months(
    by: tuple[str, ...], before: list[Charge], after: list[Charge]
) -> None:
    found = compared(by, before, after)
    for line in (*found.lines, found.total):
        parts = [getattr(line.effects, name) for name in Effects.__struct_fields__]
        assert total(parts) == line.change
    assert found.total.before == without_rounding(before)
    assert found.total.after == without_rounding(after)


@LAW
@given(BY, CHARGES)
def test_a_month_against_itself_has_no_effects(by: tuple[str, ...], charges: list[Charge]) -> None:
    assert all(line.effects == Effects() for line in compared(by, charges, charges).lines)


@LAW
@given(CHARGES, CHARGES)
def test_there_and_back_changes_as_much(before: list[Charge], after: list[Charge]) -> None:
    there, back = compared(("tenant",), before, after), compared(("tenant",), after, before)
    assert there.total.change == -back.total.change
    assert there.total.effects.new == -back.total.effects.vanished


def economics(charges: Sequence[Charge], by: Sequence[str], most: int) -> Economics:
    units = MonthUnits(by, card().rate_for)
    for charge in charges:
        units.add(charge)
    return Economics(
        month=OCTOBER,
        currency="USD",
        by=tuple(by),
        top=most,
        units=units,
        ptu_per_hour=Decimal("1.5"),
    )


@LAW
@given(CHARGES, BY, st.integers(1, 4))
def test_the_dearest_and_the_others_are_the_total(
    charges: list[Charge], by: tuple[str, ...], most: int
) -> None:
    units = economics(charges, by, most).units
    dearest, others = top(units.groups, most)
    shown = [each for _, each in dearest] + ([others] if others else [])
    assert len(dearest) <= most
    assert added(shown) == added([*units.groups.values()])
    assert (
        EXACT.add(added(shown).cost, units.other)
        == units.total
        == total(each.amount for each in charges)
    )


def documents(charges: Sequence[Charge]) -> str:
    """All planning of a month, written."""
    spend = DailySpend(as_of())
    for charge in charges:
        spend.add(OCTOBER, charge)
    watch = Watch(month=OCTOBER, as_of=as_of(), currency="USD", least_impact=Decimal(1))
    given_ = [Budget(tenant=name, amount=Decimal(500), currency="USD") for name in "ab"]
    months = Months(
        before=SEPTEMBER,
        after=OCTOBER,
        currency="USD",
        as_of=as_of(),
        first_days=None,
    )
    made = [
        comparison_document(months, compared(GROUPS, [], charges)),
        forecast_document(month_forecast(horizon(), spend), {}),
        anomalies_document(watch, anomalies(watch, spend.usage), {}),
        budgets_document(budgets(horizon(), spend, given_)),
        economics_document(economics(charges, ("tenant", "model"), 2)),
    ]
    return "".join(map(written, made))


@settings(deadline=None, max_examples=30)
@given(CHARGES, RANDOM)
def test_the_order_of_charges_changes_no_byte(charges: list[Charge], random: Random) -> None:
    assert documents(charges) == documents(random.sample(charges, len(charges)))


HISTORY = st.lists(AMOUNTS, min_size=1, max_size=90)
LIMIT = st.decimals(0, 30_000, places=2)
DAY = st.integers(1, 31)


def spend_until(amounts: list[Decimal], beside: Decimal, today: int) -> tuple[Any, DailySpend]:
    """A series that ends with the month, as of one of its days."""
    time = f"2026-10-{today:02d}T06:00Z"
    spend = DailySpend(as_of(time))
    first = date(2026, 10, 31) - timedelta(days=len(amounts) - 1)
    for day, amount in zip(days(first, len(amounts)), amounts, strict=True):
        charge = usage(tenant="a", start=day, amount=amount)
        spend.add(Month(day.year, day.month), charge)
    spend.one_offs[OCTOBER, "a"] = beside
    return horizon(time), spend


@LAW
@given(HISTORY, st.decimals(-100, 1000, places=2), DAY, LIMIT)
def test_a_budget_is_breached_on_the_first_day_with_more_and_only_then(
    amounts: list[Decimal], beside: Decimal, today: int, limit: Decimal
) -> None:
    when, spend = spend_until(amounts, beside, today)
    found = budgets(when, spend, [Budget(tenant="a", amount=limit, currency="USD")]).burn_downs[0]
    spent = spent_by(spend.tenants().get("a", {}), found.forecast)
    above = [day for day in days_of(OCTOBER) if spent[day] > limit]
    assert found.breach == (above[0] if above else None)
    if found.forecast.expected is not None:
        assert spent[date(2026, 10, 31)] == found.forecast.expected
        assert found.breach or found.forecast.expected <= limit


@LAW
@given(HISTORY, DAY)
def test_a_forecast_lies_in_its_interval_and_not_below_what_is_charged(
    amounts: list[Decimal], today: int
) -> None:
    when, spend = spend_until(amounts, Decimal(0), today)
    found = month_forecast(when, spend)
    for each in (*found.tenants, found.total):
        if each.expected is not None and each.low is not None and each.high is not None:
            assert each.known <= each.low <= each.expected <= each.high
