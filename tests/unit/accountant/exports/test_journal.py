from __future__ import annotations

from decimal import Decimal

import pytest
from accounting import OCTOBER
from exporting import BOOKS, journal_of, owed, part

from accountant.charges import Charge, Correction
from accountant.edition import Edition
from accountant.errors import NoStatementNumber
from accountant.exports.accounts import Accounts
from accountant.exports.books import Books
from accountant.exports.journal import Posting
from tollgate.ledger.cells import OVERFLOW

ACCOUNTS = Accounts(
    expense="6400",
    ptu="6410",
    idle="6411",
    shared="6420",
    credit="6490",
    clearing="2990",
    rounding="6590",
    unallocated="9999",
)
LATE = Correction(month="2026-09", statement="S-9", line=3, reason="price")


def posted(*charges: Charge, books: Books = BOOKS) -> list[tuple[str, str, str]]:
    postings = journal_of(charges, books, ACCOUNTS)
    return [(each.account, each.cost_centre, str(each.amount)) for each in postings]


def owing(**codes: str) -> list[Charge]:
    """Amounts by code, whose name is `none` for what has none."""
    named = {None if code == "none" else code: amount for code, amount in codes.items()}
    return [owed(amount, billing_code=code) for code, amount in named.items()]


def texts(*charges: Charge) -> list[str]:
    return [each.text for each in journal_of(charges, BOOKS, ACCOUNTS)]


def test_each_code_owes_its_share_and_clearing_is_the_statement() -> None:
    assert posted(*owing(a="1.50", b="2.25")) == [
        ("6400", "a", "1.50"),
        ("6400", "b", "2.25"),
        ("2990", "", "-3.75"),
    ]


def test_what_the_statement_is_rounded_up_is_on_a_line_of_its_own() -> None:
    assert posted(*owing(a="0.006774", b="0.755", none="0.027")) == [
        ("6400", "b", "0.75"),
        ("6400", "9999", "0.03"),
        ("6590", "9999", "0.01"),
        ("2990", "", "-0.79"),
    ]


def test_nothing_is_posted_of_a_statement_that_comes_to_nothing() -> None:
    assert posted(*owing(a="0.0049")) == []


def test_a_credit_balance_debits_clearing() -> None:
    assert posted(*owing(a="-1.005")) == [("6400", "a", "-1.01"), ("2990", "", "1.01")]


def test_each_kind_has_its_account() -> None:
    charges = [
        owed("1"),
        part("2"),
        part("3", "idle"),
        part("4", "even"),
        owed("-5", category="Credit"),
        owed("6", category="Adjustment"),
    ]
    assert [account for account, *_ in posted(*charges)] == [
        "6400",
        "6410",
        "6411",
        "6420",
        "6490",
        "6400",
        "2990",
    ]


def test_corrections_are_a_balanced_batch_of_their_own() -> None:
    found = journal_of([owed("1.50"), owed("-0.25", correction=LATE)], BOOKS, ACCOUNTS)
    assert [(each.batch, str(each.amount), each.correction) for each in found] == [
        ("2026-10 USD", "1.50", None),
        ("2026-10 USD", "-1.50", None),
        ("2026-10 USD corrections", "-0.25", LATE),
        ("2026-10 USD corrections", "0.25", None),
    ]


def test_the_clearing_of_both_batches_is_the_statement() -> None:
    charges = [owed("0.004"), owed("0.004", correction=LATE)]
    clearing = [amount for account, _, amount in posted(*charges) if account == "2990"]
    assert sum(map(Decimal, clearing)) == Decimal("-0.01")


def test_a_closed_month_refers_to_the_number_of_the_statement() -> None:
    edition = Edition(status="closed", numbers={"contoso": "S-10-1"})
    books = Books(period=OCTOBER, currency="USD", edition=edition)
    found = journal_of([owed("1.50")], books)
    assert {each.reference for each in found} == {"S-10-1"}
    assert {each.reference for each in journal_of([owed("1.50")])} == {None}
    with pytest.raises(NoStatementNumber, match="tenant 'fabrikam' has charges but no statement"):
        posted(owed("1", tenant="fabrikam"), books=books)


def test_text_says_what_it_is_for() -> None:
    codes = ["CC-1", None, OVERFLOW]
    assert texts(*(owed("1.001", billing_code=code) for code in codes), owed("0.002")) == [
        "Usage 2026-10 contoso CC-1",
        "Usage 2026-10 contoso (overflow)",
        "Usage 2026-10 contoso unallocated",
        "Rounding 2026-10 contoso",
        "Statement 2026-10 contoso",
    ]


def test_text_names_the_shared_cost_and_the_corrected_line() -> None:
    anew = Correction(month="2026-08", statement=None, line=None, reason="usage")
    found = texts(
        part("1", "even", {"cost": "redis"}),
        part("1", correction=LATE),
        owed("1", correction=anew),
    )
    assert found == [
        "Shared cost redis 2026-10 contoso CC-1001",
        "Statement 2026-10 contoso",
        "Usage 2026-10 contoso CC-1001, corrects 2026-08 (usage)",
        "Provisioned throughput ptu-weu 2026-10 contoso CC-1001, corrects line 3 of S-9 (price)",
        "Corrections on the statement 2026-10 contoso",
    ]


def test_a_posting_says_whose_it_is() -> None:
    first, *_ = journal_of([owed("1.50")])
    assert isinstance(first, Posting)
    assert (first.tenant, first.billing_code) == ("contoso", "CC-1001")
