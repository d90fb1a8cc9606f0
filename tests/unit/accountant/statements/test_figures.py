from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from accountant.statements.document import Cell, Kind
from accountant.statements.figures import about, day, money, percent, text_of


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        ("1234.5", "USD", "1,234.50"),
        ("0.000048", "USD", "0.000048"),
        ("-0.0005344", "USD", "-0.0005344"),
        ("12", "JPY", "12"),
        ("12.5", "JPY", "12.5"),
        ("12.5", "KWD", "12.500"),
        ("12345678901234567890123456789012345.123456", "USD",
         "12,345,678,901,234,567,890,123,456,789,012,345.123456"),
        ("1E+3", "USD", "1,000.00"),
    ],
)  # fmt: skip
def test_money_keeps_every_digit(amount: str, currency: str, text: str) -> None:
    assert money(Decimal(amount), currency) == text


@pytest.mark.parametrize(
    ("amount", "text"),
    [("7411.004", "7,411.00"), ("0", "0.00"), ("0.000048123", "0.0000481"), ("-0.05", "-0.05")],
)
def test_a_chart_shows_an_amount_that_is_not_nothing_as_not_nothing(amount: str, text: str) -> None:
    assert about(Decimal(amount), "USD") == text


@pytest.mark.parametrize(
    ("part", "whole", "share"),
    [("1", "3", "33.3"), ("0", "5", "0.0"), ("1", "0", None), ("-1", "5", None), ("6", "5", None)],
)
def test_a_share_is_of_a_whole_or_there_is_none(part: str, whole: str, share: str | None) -> None:
    found = percent(Decimal(part), Decimal(whole))
    assert found == (share if share is None else Decimal(share))


@pytest.mark.parametrize(("part", "share"), [("1", "0.1"), ("99999", "99.9"), ("100000", "100.0")])
def test_only_everything_is_a_hundred_per_cent(part: str, share: str) -> None:
    assert percent(Decimal(part), Decimal(100_000)) == Decimal(share)


def test_a_day_is_said_in_words() -> None:
    assert day(date(2026, 10, 1)) == "1 October 2026"


@pytest.mark.parametrize(
    ("cell", "kind", "text"),
    [
        (None, "amount", ""),
        ("a name", "text", "a name"),
        (1234, "number", "1234"),
        (1234, "count", "1,234"),
        (Decimal("33.3"), "percent", "33.3%"),
        (Decimal("2.50"), "price", "2.5"),
        (Decimal("2.5"), "amount", "2.50"),
        (date(2026, 10, 1), "date", "2026-10-01"),
    ],
)
def test_a_cell_is_text_as_its_kind_says(cell: Cell, kind: Kind, text: str) -> None:
    assert text_of(cell, kind, "USD") == text
