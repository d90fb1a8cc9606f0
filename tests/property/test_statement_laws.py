from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from exporting import owed, usage
from hypothesis import given, settings
from hypothesis import strategies as st
from stating import facts

from accountant.charges import Allocation, Charge, Correction
from accountant.money import EXACT, smallest_unit, total
from accountant.statements.drawing_up import drawn_up
from accountant.statements.statement_document import statement_document
from accountant.statements.summary import SummaryOf
from accountant.statements.summary_document import summary_document

LAW = settings(deadline=None, max_examples=50)
AMOUNTS = st.decimals(-(10**9), 10**9, places=7, allow_nan=False)
CODES = st.sampled_from(["CC-1", "CC-2", None])
CURRENCIES = st.sampled_from(["JPY", "USD", "KWD"])  # 0, 2 and 3 decimals
KINDS = st.sampled_from(["usage", "shared", "credit", "correction"])


def charge(kind: str, amount: Decimal, **who: Any) -> Charge:
    if kind == "usage":
        quantity = int(abs(amount))
        day = date(2026, 10, 1 + quantity % 30)
        return usage(quantity, **who, start=day, end=day)
    if kind == "shared":
        part = Allocation(cost="c", method="even", share="1/3", whole=amount * 3)
        return owed(str(amount), **who, allocation=part)
    if kind == "credit":
        return owed(str(amount), **who, category="Credit")
    correction = Correction(month="2026-09", statement=None, line=None, reason="price")
    return owed(str(amount), **who, category="Adjustment", correction=correction)


CHARGES = st.builds(
    charge, KINDS, AMOUNTS, billing_code=CODES, tenant=st.sampled_from(["a", "b", "c"])
)


def by_name(charges: list[Charge]) -> list[Charge]:
    return sorted(charges, key=lambda each: each.tenant)


@LAW
@given(st.lists(CHARGES, max_size=12), CURRENCIES)
def test_lines_entries_and_rounding_add_up_to_the_total(
    charges: list[Charge], currency: str
) -> None:
    for each in drawn_up(facts(currency=currency), by_name(charges)):
        amounts = [*each.lines, *each.entries]
        report = each.report
        exact = total(part.amount for part in amounts)
        assert EXACT.add(exact, report.rounding) == report.total
        assert abs(report.rounding) * 2 <= smallest_unit(currency)
        assert total(part.amount for part in each.by_code) == exact
        assert [part.number for part in amounts] == list(range(1, len(amounts) + 1))


@LAW
@given(st.lists(CHARGES, max_size=12), CURRENCIES)
def test_every_table_adds_up_to_its_last_row(charges: list[Charge], currency: str) -> None:
    for each in drawn_up(facts(currency=currency), by_name(charges)):
        for table in statement_document(each).tables:
            rows = [row for row in table.rows if not row.strong]
            sums = [row for row in table.rows if row.strong]
            for row in sums:
                amounts = (part.cells[len(row.cells) - 1] for part in rows)
                assert total(Decimal(str(amount)) for amount in amounts) == row.cells[-1]


@LAW
@given(st.lists(CHARGES, max_size=12), CURRENCIES, st.randoms())
def test_any_order_of_a_tenants_charges_gives_the_same_statement(
    charges: list[Charge], currency: str, chance: Any
) -> None:
    def made(given_: list[Charge]) -> list[Any]:
        found = drawn_up(facts(currency=currency), by_name(given_))
        return [(statement_document(each), each.digest) for each in found]

    shuffled = list(charges)
    chance.shuffle(shuffled)
    assert made(shuffled) == made(charges)


@LAW
@given(st.lists(CHARGES, max_size=12), CURRENCIES)
def test_the_summary_is_the_sum_of_its_statements(charges: list[Charge], currency: str) -> None:
    added = SummaryOf(facts(currency=currency))
    of = facts(currency=currency)
    totals = [each.report.total for each in added.passed(drawn_up(of, by_name(charges)))]
    document = summary_document(added.summary())
    assert document.owed == total(totals)
    assert document.tables[0].rows[-1].cells[7] == total(totals)
