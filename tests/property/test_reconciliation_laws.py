"""What holds for the reconciliation of any usage with any provider."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from random import Random
from typing import Any

import hypothesis.strategies as st
import pytest
from accounting import OCTOBER, card, money_cell, rate, sku, used
from hypothesis import given, settings
from reconciling import TERMS, agreeing, compared, ledger_reading, prompt, provider

from accountant.money import rounded, smallest_unit, total
from accountant.rate_cards.rate_card import RateCard
from accountant.reconciliation.items import FOLDINGS, Day, Item, Source
from accountant.reconciliation.reconcile import Reconciliation, Terms
from accountant.reconciliation.reconciliation_csv import as_csv
from accountant.reconciliation.reconciliation_json import as_json
from accountant.reconciliation.reconciliation_table import as_table
from accountant.reconciliation.sides import LedgerSide, Provided
from accountant.reconciliation.true_up import Method, true_up
from tollgate.ledger.cells import MoneyCell, Usage

LAW = settings(deadline=None, max_examples=100)
SOURCES: list[Source] = ["metrics", "log", "invoice"]
RATES = card(rate(), rate("0.60", meter="output"), rate("0.075", meter="cached_input"))
HOURS = [f"2026-10-{day}T{hour}" for day in (15, 16, 17) for hour in ("00", "12", "23")]
PROVENANCES = ["measured", "estimated", "none", "unknown", "backfilled"]


def cell(backend: str | None, hour: str, provenance: Any, usage: Usage, tenant: str) -> MoneyCell:
    """A cell as the ledger makes them: what is not known has no meters."""
    known = usage if provenance not in {"none", "unknown"} else Usage(usage.requests, {})
    return money_cell(
        tenant=tenant, hour=hour, sku=sku(backend=backend, provenance=provenance), usage=known
    )


CELLS = st.lists(
    st.builds(
        cell,
        st.sampled_from(["weu-1", "weu-2", None]),
        st.sampled_from(HOURS),
        st.sampled_from(PROVENANCES),
        st.builds(
            used,
            st.integers(1, 10**6),
            st.integers(1, 9),
            st.sampled_from(["input", "cached_input", "output"]),
        ),
        st.sampled_from(["contoso", "fabrikam"]),
    ),
    max_size=8,
)
AMOUNTS = st.decimals(-(10**6), 10**6, places=9)
PROVIDED = st.builds(
    Provided,
    quantity=st.integers(0, 2 * 10**6),
    amount=AMOUNTS,
    rounding=st.integers(0, 5),
    blocked=st.integers(0, 3),
    broken=st.integers(0, 3),
)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[MoneyCell], Source, dict[Day, Provided]]:
    """Cells, and what some source says of the same items, of others, and of days between."""
    cells, source = draw(CELLS), draw(st.sampled_from(SOURCES))
    side = ledger_reading(cells, source).side()
    items = sorted({item for _, item in side.counts} | {prompt(), Item(meter="odd")}, key=str)
    days = st.sampled_from([date(2026, 10, day) for day in (15, 16, 17)])
    keys = st.tuples(days, st.sampled_from(items))
    counts = draw(st.dictionaries(keys, PROVIDED, max_size=8))
    if source != "invoice":
        for each in counts.values():
            each.amount = None
    return cells, source, counts


World = tuple[list[MoneyCell], Source, dict[Day, Provided]]


def ledger_of(cells: list[MoneyCell], source: Source, rates: RateCard = RATES) -> LedgerSide:
    priced = rates if source == "invoice" else None
    return ledger_reading(cells, source, priced).side("USD" if priced else None)


def found(world: World, terms: Terms = TERMS) -> Reconciliation:
    cells, source, counts = world
    return compared(ledger_of(cells, source), provider(source, counts=counts), terms)


@pytest.mark.parametrize("source", SOURCES)
@LAW
@given(CELLS)
def test_a_ledger_against_itself_has_no_difference(source: Source, cells: list[MoneyCell]) -> None:
    same = compared(ledger_of(cells, source), agreeing(cells, source, RATES))
    has_uncounted = any(each.sku.provenance == "unknown" for each in cells)
    for line in same.lines:
        if line.item.meter == "requests" and has_uncounted:
            continue  # a request that is not known may have been answered, or not
        assert (line.difference, line.amount_difference or 0) == (0, 0)
        assert (line.status, line.causes) == ("agrees", ())
    assert same.agrees


@LAW
@given(worlds())
def test_matched_and_differences_add_up_to_what_the_provider_has(world: World) -> None:
    lines = found(world).lines
    provided = [each for each in world[2].values() if each.quantity or each.amount]
    assert sum(line.ledger or 0 for line in lines) + sum(line.difference for line in lines) == (
        sum(each.quantity for each in provided)
    )
    if world[1] == "invoice":
        ledger = total(line.ledger_amount or Decimal(0) for line in lines)
        differences = total(line.amount_difference or Decimal(0) for line in lines)
        assert ledger + differences == total(each.amount or Decimal(0) for each in provided)


@LAW
@given(worlds())
def test_causes_and_what_is_unexplained_are_the_whole_difference(world: World) -> None:
    for line in found(world).lines:
        causes = sum(cause.quantity for cause in line.causes)
        assert causes + line.unexplained == line.difference
        assert abs(line.unexplained) <= abs(line.difference)
        if line.amount_difference is not None:
            amounts = total(cause.amount or Decimal(0) for cause in line.causes)
            assert amounts + (line.unexplained_amount or 0) == line.amount_difference


@LAW
@given(worlds())
def test_the_ledgers_whole_usage_is_compared_or_apart(world: World) -> None:
    cells, source, _ = world
    found_here = found(world)
    tokens = sum(meter.quantity for each in cells for meter in each.usage.meters.values())
    lines = [line for line in found_here.lines if line.item.unit == "token"]
    assert sum(line.ledger or 0 for line in lines) == tokens
    if FOLDINGS[source].has_requests:
        requests = sum(each.usage.requests for each in cells)
        counted = sum(line.ledger or 0 for line in found_here.lines) - tokens
        assert (
            counted + sum(int(each.quantity or 0) for each in found_here.ledger_apart) == requests
        )


@LAW
@given(worlds(), st.randoms(use_true_random=False))
def test_the_order_of_what_is_read_changes_no_byte(world: World, random: Random) -> None:
    cells, source, counts = world
    mixed = (
        random.sample(cells, len(cells)),
        source,
        dict(random.sample([*counts.items()], len(counts))),
    )
    texts = {
        (
            as_csv(OCTOBER, [each]),
            as_json(OCTOBER, Decimal(0), [each]),
            as_table(OCTOBER, [each], 80),
        )
        for each in (found(world), found(mixed))
    }
    assert len(texts) == 1


@LAW
@given(worlds())
def test_the_greater_the_tolerance_the_less_is_unexplained(world: World) -> None:
    unexplained = [
        {
            (line.day, line.item)
            for line in found(world, Terms(now=TERMS.now, tolerance=Decimal(part))).lines
            if line.status == "unexplained"
        }
        for part in ("0", "0.5", "1")
    ]
    assert unexplained[0] >= unexplained[1] >= unexplained[2]


@pytest.mark.parametrize("currency", ["JPY", "USD", "BHD"])
@pytest.mark.parametrize("method", ["proportional", "unallocated"])
@LAW
@given(CELLS, st.dictionaries(st.sampled_from(["x", "y"]), AMOUNTS), AMOUNTS)
def test_a_true_up_is_the_rounded_difference_in_whole_units(
    currency: str, method: Method, cells: list[MoneyCell], odd: dict[str, Decimal], dearer: Decimal
) -> None:
    rates = card(
        *(rate(currency=currency, meter=leaf) for leaf in ("input", "output")),
        rate(currency=currency, meter="cached_input"),
    )
    reading = ledger_reading(cells, "invoice", rates)
    ledger = reading.side(currency)
    counts = {
        (date(2026, 10, 15), Item(meter=name)): Provided(quantity=1, amount=each)
        for name, each in odd.items()
    }
    counts |= {
        key: Provided(quantity=each.quantity, amount=dearer) for key, each in ledger.counts.items()
    }
    billed = provider("invoice", counts=counts, currency=currency)
    differs = compared(ledger, billed)
    entry = true_up(OCTOBER, differs, reading.owed, method)
    exact = total(line.amount_difference or Decimal(0) for line in differs.lines)
    assert entry.amount == total(line.amount for line in entry.lines) == rounded(exact, currency)
    for line in entry.lines:
        assert line.amount == line.amount.quantize(smallest_unit(currency))
        assert line.amount
