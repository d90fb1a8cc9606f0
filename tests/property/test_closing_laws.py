"""What holds for any sequence of usage, rates and closes."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import hypothesis.strategies as st
from accounting import money_cell, rate, sku, used
from closed_months import CellLedger, after_close, close_waiving, corrected, draft, owed
from costing import once, ptu, reassign, shared
from hypothesis import given, settings

from accountant.closing.books import Books, after
from accountant.closing.corrections import Row, of_month, own_rows
from accountant.costs.cost_files import Costs
from accountant.rate_cards.rate_card import RateCard
from tollgate.ledger.cells import MoneyCell
from tollgate.usage.periods import Month

LAW = settings(deadline=None, max_examples=40)
FIRST = Month(2026, 1)
NAMES = st.sampled_from(["a", "b"])
HOURS = st.sampled_from(["08", "09"])
CELLS = st.builds(
    money_cell,
    tenant=NAMES,
    billing_code=st.none() | NAMES,
    hour=st.builds("2026-0{}-{}T{}".format, st.integers(1, 3), st.sampled_from([10, 11]), HOURS),
    sku=st.builds(
        sku,
        model=st.sampled_from(["gpt-4o-mini", "gpt-9"]),
        provenance=st.sampled_from(["measured", "pending"]),
    ),
    usage=st.builds(used, st.integers(1, 10**6)),
)
# So that no closed month is gone from the ledger, which is an error of its own.
IN_EVERY_MONTH = [money_cell(hour=f"2026-{month:02d}-12T00") for month in range(1, 13)]
PRICE = st.none() | st.decimals(0, 10, places=6)
CARDS = st.tuples(PRICE, PRICE)
SINCE = {"effective_from": date(2026, 1, 1)}
GATEWAY = shared("10.00", method="even", **SINCE)
COSTS = [
    Costs(version="none"),
    Costs(version="a", shared=(GATEWAY,), credits=(once(day=date(2026, 2, 5), tenant="a"),)),
    Costs(
        version="b",
        shared=(GATEWAY, shared("7.77", name="redis", **SINCE)),
        provisioned=(
            ptu(deployment="gpt-4o-mini", effective_from=date(2026, 1, 11), effective_to=None),
        ),
        reassignments=(reassign(tenant="b", to_tenant="c", **SINCE),),
    ),
]
STEPS = st.lists(
    st.one_of(CELLS, CARDS, st.sampled_from(COSTS), st.just("close"), st.just("forget")),
    max_size=16,
)
Step = MoneyCell | Costs | tuple[Decimal | None, Decimal | None] | str


def card(prices: tuple[Decimal | None, Decimal | None]) -> RateCard:
    """The prices of both models; None is no rate."""
    models = ("gpt-4o-mini", "gpt-9")
    rates = [
        rate(str(price), model=model)
        for model, price in zip(models, prices, strict=True)
        if price is not None
    ]
    return RateCard([*rates, rate("1", model="other")])


def billed(books: Books, month: Month) -> list[Row]:
    """What was closed of a month, and what later closed months corrected of it."""
    rows: list[Row] = []
    for sealed in books.sealed:
        own = sealed.seal.month == str(month)
        found = books.charges(sealed.seal)
        rows += own_rows(month, found) if own else of_month(month, found)
    return rows


@LAW
@given(STEPS)
def test_what_was_closed_and_what_corrects_it_is_what_the_ledger_says_now(
    steps: list[Step],
) -> None:
    ledger, prices, costs = CellLedger(IN_EVERY_MONTH), card((Decimal(1), None)), COSTS[0]
    with TemporaryDirectory() as folder:
        where = Path(folder) / "books"
        close_waiving(ledger, where, FIRST, prices, costs)
        for step in steps:
            if isinstance(step, MoneyCell):
                ledger.cells.append(step)
            elif isinstance(step, Costs):
                costs = step
            elif step == "forget":
                del ledger.cells[len(IN_EVERY_MONTH) : len(IN_EVERY_MONTH) + 1]
            elif isinstance(step, str):
                close_waiving(ledger, where, after_close(where), prices, costs)
            else:
                prices = card(step)
        books = Books(where)
        open_rows = corrected(ledger, where, after_close(where), prices, costs)
        for sealed in books.sealed:
            month = Month.parse(sealed.seal.month)
            rows = [*billed(books, month), *of_month(month, open_rows)]
            assert owed(rows) == owed(draft(ledger, month, prices, costs).read())
        assert books.problems() == []
        numbers = [each.number for sealed in books.sealed for each in sealed.seal.statements]
        assert [int(number[5:]) for number in numbers] == list(range(1, len(numbers) + 1))


@LAW
@given(st.lists(CELLS, max_size=8), st.randoms(use_true_random=False))
def test_the_order_of_the_usage_changes_no_byte(cells: list[MoneyCell], random: Random) -> None:
    shuffled = random.sample(cells, len(cells))
    contents: set[bytes] = set()
    for some in (cells, shuffled):
        with TemporaryDirectory() as folder:
            where = Path(folder) / "books"
            for month in (FIRST, after(FIRST)):
                ledger = CellLedger([*IN_EVERY_MONTH, *some])
                close_waiving(ledger, where, month, card((Decimal(1), None)))
            files = sorted(where.iterdir())
            contents.add(b"".join(path.name.encode() + path.read_bytes() for path in files))
    assert len(contents) == 1
