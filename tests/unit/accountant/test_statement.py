from __future__ import annotations

from decimal import Decimal

from accountant.statement import grand_total, statement

HALF_CENTS = [Decimal("0.003"), Decimal("0.002")]


def test_a_statement_is_rounded_once() -> None:
    drawn = statement("contoso", HALF_CENTS, "USD")
    assert (str(drawn.total), drawn.rounding) == ("0.01", Decimal("0.005"))


def test_the_grand_total_is_the_sum_of_the_statements() -> None:
    drawn = [statement(name, HALF_CENTS, "USD") for name in ("contoso", "fabrikam", "adatum")]
    assert str(grand_total(drawn, "USD")) == "0.03"


def test_nothing_owed_is_nothing() -> None:
    assert str(statement("contoso", [], "USD").total) == "0.00"
    assert str(grand_total([], "JPY")) == "0"
