from __future__ import annotations

from decimal import Decimal

from accounting import OCTOBER
from exporting import owed, usage

from accountant.exports.journal import Accounts, CostCentre, Posting, journal, owed_by_code
from tollgate.ledger.cells import OVERFLOW

ACCOUNTS = Accounts(
    expense="6400",
    clearing="2990",
    rounding="6590",
    unallocated="9999",
    cost_centres={
        ("contoso", "CC-1"): CostCentre("4711", "6401"),
        ("fabrikam", None): CostCentre("5000", "6400"),
    },
)


def posted(**codes: str) -> list[tuple[str, str, str]]:
    """What is posted for contoso, a code's name with `none` for what has none."""
    exact = {None if code == "none" else code: Decimal(amount) for code, amount in codes.items()}
    return told(journal(OCTOBER, {"contoso": exact}, "USD", ACCOUNTS))


def told(postings: list[Posting]) -> list[tuple[str, str, str]]:
    return [(each.account, each.cost_centre, str(each.amount)) for each in postings]


def test_each_code_owes_its_share_and_clearing_is_the_statement() -> None:
    assert posted(a="1.50", b="2.25") == [
        ("6400", "a", "1.50"),
        ("6400", "b", "2.25"),
        ("2990", "", "-3.75"),
    ]


def test_what_the_statement_is_rounded_up_is_on_a_line_of_its_own() -> None:
    assert posted(a="0.006774", b="0.755", none="0.027") == [
        ("6400", "b", "0.75"),
        ("6400", "9999", "0.03"),
        ("6590", "9999", "0.01"),
        ("2990", "", "-0.79"),
    ]


def test_nothing_is_posted_of_a_statement_that_comes_to_nothing() -> None:
    assert posted(a="0.0049") == []


def test_a_credit_balance_debits_clearing() -> None:
    assert posted(a="-1.005") == [
        ("6400", "a", "-1.01"),
        ("2990", "", "1.01"),
    ]


def test_a_code_with_a_row_has_its_cost_centre_and_account() -> None:
    assert ACCOUNTS.cost_centre("contoso", "CC-1") == CostCentre("4711", "6401")


def test_a_tenants_row_is_for_all_its_other_codes() -> None:
    for code in ("CC-1", None, OVERFLOW):
        assert ACCOUNTS.cost_centre("fabrikam", code).cost_centre == "5000"


def test_a_code_without_a_row_is_its_own_cost_centre() -> None:
    assert ACCOUNTS.cost_centre("contoso", "CC-2") == CostCentre("CC-2", "6400")
    for code in (None, OVERFLOW):
        assert ACCOUNTS.cost_centre("contoso", code) == CostCentre("9999", "6400")


def test_text_says_what_it_is_for() -> None:
    exact = {"CC-1": Decimal("0.505"), None: Decimal(1), OVERFLOW: Decimal(1)}
    assert [each.text for each in journal(OCTOBER, {"contoso": exact}, "USD", ACCOUNTS)] == [
        "Usage 2026-10 contoso CC-1",
        "Usage 2026-10 contoso (overflow)",
        "Usage 2026-10 contoso unallocated",
        "Rounding 2026-10 contoso",
        "Statement 2026-10 contoso",
    ]


def test_charges_add_up_by_code_without_the_rounding() -> None:
    charges = [usage(), usage(), owed("-1", category="Credit"), owed("9", category="Rounding")]
    assert owed_by_code(charges) == {"contoso": {"CC-1001": Decimal("-0.9997")}}
