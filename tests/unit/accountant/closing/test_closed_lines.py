from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from accounting import rate, sku
from closed_months import (
    OCTOBER,
    SEPTEMBER,
    CellLedger,
    card,
    cell,
    close_month,
    corrected,
    corrections_in,
)
from exporting import owed

from accountant.charges import Allocation
from accountant.closing.books import Books
from accountant.closing.closed_lines import STATEMENT_BY, closed_lines, numbered
from accountant.closing.corrections import Corrected
from accountant.rate_cards.rate_card import RateCard
from accountant.reports.report import MonthFacts, charge_report

CHANGE = date(2026, 9, 20)
TWO_PRICES = RateCard(
    [
        rate("0.15", effective_to=CHANGE),
        rate("0.10", effective_from=CHANGE),
        rate("2", model="gpt-9"),
    ]
)
CELLS = [
    cell("2026-09-10", billing_code="B"),
    cell("2026-09-10", billing_code="A"),
    cell("2026-09-25", billing_code="A"),
    cell("2026-09-10", billing_code="A", sku=sku(model="gpt-9")),
    cell("2026-09-10", tenant="fabrikam", billing_code="A"),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    close_month(CellLedger(CELLS), tmp_path / "books", SEPTEMBER, TWO_PRICES)
    return tmp_path / "books"


def test_lines_are_numbered_as_each_statement_has_them(folder: Path) -> None:
    books = Books(folder)
    seal = books.sealed[0].seal
    facts = MonthFacts(period=SEPTEMBER, currency="USD", requests={})
    report = charge_report(facts, STATEMENT_BY, books.charges(seal))
    assert [line.group[:2] for line in report.lines] == [
        ("contoso", "A"),
        ("contoso", "A"),
        ("contoso", "A"),
        ("contoso", "B"),
        ("fabrikam", "A"),
    ]
    numbers = closed_lines(seal, books.charges(seal), {"contoso", "fabrikam"})
    assert list(numbers.values()) == [1, 2, 3, 4, 1]
    assert set(closed_lines(seal, books.charges(seal), {"fabrikam"}).values()) == {1}


def test_a_correction_names_statement_and_line(folder: Path) -> None:
    late = [
        cell("2026-09-11", 1, billing_code="B"),
        cell("2026-09-26", 1, billing_code="A"),
        cell("2026-09-11", 1, billing_code="A"),
        cell("2026-09-11", 1, billing_code="new"),
        cell("2026-09-11", 1, tenant="fabrikam", billing_code="A"),
        cell("2026-09-11", 1, tenant="late", billing_code="A"),
    ]
    found = corrections_in(corrected(CellLedger([*CELLS, *late]), folder, OCTOBER, TWO_PRICES))
    told = {
        (each.tenant, each.billing_code, each.start.day): (
            each.correction.statement,
            each.correction.line,
        )
        for each in found
        if each.correction
    }
    assert told == {
        ("contoso", "A", 11): ("2026-000001", 2),
        ("contoso", "A", 26): ("2026-000001", 1),
        ("contoso", "B", 11): ("2026-000001", 4),
        ("contoso", "new", 11): ("2026-000001", None),
        ("fabrikam", "A", 11): ("2026-000002", 1),
        ("late", "A", 11): (None, None),
    }


def test_both_halves_of_a_new_price_name_the_line_of_the_old_one(folder: Path) -> None:
    found = corrections_in(corrected(CellLedger(CELLS), folder, OCTOBER, card("0.15", *_GPT_9)))
    assert [(each.amount, each.correction and each.correction.line) for each in found] == [
        (Decimal("-0.10"), 1),
        (Decimal("0.15"), 1),
    ]


_GPT_9 = [rate("2", model="gpt-9")]


def test_a_shared_cost_is_a_line_behind_the_usage(folder: Path) -> None:
    books = Books(folder)
    seal = books.sealed[0].seal
    shared = Allocation(cost="gateway", method="even", share="1/2", whole=Decimal(10))
    entries = [
        owed("5", tenant="contoso", category="Usage", description=name, allocation=shared)
        for name in ("gateway", "another")
    ]
    closed = [*books.charges(seal), *entries]
    lines = closed_lines(seal, closed, {"contoso"})
    assert list(lines.values()) == [1, 2, 3, 4, 5, 6]
    found = numbered(seal, closed, [Corrected(entries[0], entries[0])])
    assert found == entries[:1]  # no correction, so it has no number


def test_without_corrections_nothing_is_read() -> None:
    assert numbered(None, None, []) == []  # pyright: ignore[reportArgumentType]  that is the point
