from __future__ import annotations

from decimal import Decimal
from hashlib import sha256

from exporting import usage
from stating import everything, facts, statement, summary

from accountant.statements.drawing_up import drawn_up
from accountant.statements.summary import SummaryOf, share_measured


def test_the_total_is_that_of_the_statements() -> None:
    found = summary("a", "b", "c")
    assert [each.total for each in found.statements] == [Decimal("37.49")] * 3
    assert found.total == Decimal("112.47")
    assert found.exact == Decimal("112.482")


def test_a_statement_has_its_parts_and_its_number() -> None:
    (each,) = summary("contoso").statements
    assert each.number == "2026-10-0001"
    parts = (each.sums.usage, each.sums.shared, each.sums.other, each.sums.corrections)
    assert parts == (Decimal("6.15"), Decimal("33.34"), Decimal("-2.00"), Decimal("0.004"))
    assert each.rounding == Decimal("-0.004")
    assert each.unpriced == 1


def test_usage_is_added_up_by_day_and_model() -> None:
    found = summary("a", "b")
    assert list(found.by_day.values()) == list(found.by_model.values()) == [Decimal("12.30")]
    assert [line.group for line in found.unpriced] == [
        ("a", "CC-1001", "a cost"),
        ("b", "CC-1001", "a cost"),
    ]


def test_unallocated_is_what_has_no_code_and_what_nobody_known_owes() -> None:
    found = summary("contoso", "unallocated")
    assert found.unallocated == Decimal(6) + Decimal("37.494")


def test_statements_pass_by_unchanged() -> None:
    added = SummaryOf(facts())
    (passed,) = added.passed(drawn_up(facts(), [usage()]))
    assert passed == statement([usage()], facts())


def test_its_digest_is_of_the_statements_digests() -> None:
    found = summary("a", "b")
    digests = [statement(everything(name), facts()).digest for name in ("a", "b")]
    assert len({*digests, *(each.digest for each in found.statements)}) == 4
    lines = "".join(f"{each.digest}\n" for each in found.statements)
    assert found.digest == sha256(lines.encode()).hexdigest()


def test_measured_is_of_what_used_anything() -> None:
    coverage = {"measured": 6, "injected": 2, "estimated": 1, "pending": 1, "none": 50}
    assert share_measured(coverage) == (8, 10)
