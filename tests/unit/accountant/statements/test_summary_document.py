from __future__ import annotations

from decimal import Decimal

import msgspec
from stating import CLOSED, REQUESTS, facts, summary

from accountant.statements.summary_document import summary_document


def test_statements_and_their_total_stand_below_each_other() -> None:
    found = summary_document(summary("contoso", "fabrikam"))
    (table,) = (each for each in found.tables if each.title == "Statements")
    rows = [row.cells for row in table.rows]
    assert [row[:2] for row in rows] == [
        ("contoso", "2026-10-0001"),
        ("fabrikam", "2026-10-0002"),
        ("Total", None),
    ]
    for place in range(2, 10):
        values = [Decimal(str(row[place])) for row in rows]
        assert values[0] + values[1] == values[2]
    assert rows[-1][7] == found.owed == Decimal("74.98")


def test_exact_parts_and_rounding_add_up_to_each_total() -> None:
    found = summary_document(summary("contoso", "fabrikam"))
    for row in found.tables[0].rows:
        amounts = [Decimal(str(cell)) for cell in row.cells[2:8]]
        assert sum(amounts[:-1]) == amounts[-1]


def test_key_figures_say_of_what_they_are() -> None:
    said = dict(summary_document(summary("contoso", of=facts(REQUESTS, CLOSED))).facts)
    assert said["Statements"] == "1"
    assert said["Allocated to a billing code"] == "84.0% of the exact amount"
    assert said["Counted by the provider"] == "28.6% of the requests that used anything"
    assert said["Rounding of the statements"] == "-0.004 USD"


def test_a_share_of_nothing_is_not_zero() -> None:
    said = dict(summary_document(summary(of=facts())).facts)
    assert (said["Allocated to a billing code"], said["Counted by the provider"]) == ("n/a", "n/a")
    assert said["Last usage counted"] == "nothing counted"


def test_an_empty_month_has_an_empty_table() -> None:
    found = summary_document(summary(of=facts()))
    assert (found.owed, found.charts) == (0, [])
    assert len(found.tables) == 1


def test_what_is_missing_is_told_with_whose_it_is() -> None:
    found = summary_document(summary("contoso", "fabrikam"))
    assert found.notices == ["Not in the total: 2 lines of usage have no rate."]
    (table,) = (each for each in found.tables if each.title == "Not in the total")
    assert [row.cells[0] for row in table.rows] == ["contoso", "fabrikam"]


def test_largest_statements_and_the_others_are_drawn() -> None:
    found = summary_document(summary(*(f"t{number:02}" for number in range(12))))
    *_, drawn = found.charts
    assert [bar.label for bar in drawn.bars][-1] == "5 others"
    assert sum(bar.amount for bar in drawn.bars) == found.owed


def test_coverage_and_waivers_are_there() -> None:
    found = summary_document(summary("contoso", of=facts(REQUESTS, CLOSED)))
    titles = [each.title for each in found.tables]
    assert titles[2:] == ["How the requests were counted", "Let pass at the close"]
    assert "SHA-256" in msgspec.json.encode(found.footer).decode()
