"""What holds for the exports of any usage."""

from __future__ import annotations

from decimal import Decimal
from random import Random

import hypothesis.strategies as st
import pytest
from accounting import OCTOBER
from hypothesis import given, settings

from accountant.journal import Accounts, journal
from accountant.journal_template import journal_csv
from accountant.money import rounded, smallest_unit, total
from accountant.shares import shares

LAW = settings(deadline=None, max_examples=100)
CURRENCIES = ["JPY", "USD", "BHD"]
AMOUNTS = st.decimals(-(10**9), 10**9, places=9) | st.decimals(-1, 1, places=12)
CODES = st.dictionaries(st.none() | st.sampled_from(["a", "b", "=c", "4711"]), AMOUNTS)
OWED = st.dictionaries(st.sampled_from(["contoso", "fabrikam", "-x"]), CODES)
Owed = dict[str, dict[str | None, Decimal]]


def shuffled(owed: Owed, random: Random) -> Owed:
    """The same in another order."""
    tenants = random.sample([*owed.items()], len(owed))
    return {tenant: dict(random.sample([*codes.items()], len(codes))) for tenant, codes in tenants}


@pytest.mark.parametrize("currency", CURRENCIES)
@LAW
@given(OWED)
def test_a_journal_is_balanced_for_every_tenant(currency: str, owed: Owed) -> None:
    postings = journal(OCTOBER, owed, currency, Accounts())
    for tenant, codes in owed.items():
        own = [each for each in postings if each.tenant == tenant]
        clearing = total(each.amount for each in own if each.account == "CLEARING")
        assert total(each.amount for each in own) == 0
        assert -clearing == rounded(total(codes.values()), currency)


@pytest.mark.parametrize("currency", CURRENCIES)
@LAW
@given(OWED)
def test_every_posting_is_in_whole_units_and_rounding_is_one_at_most(
    currency: str, owed: Owed
) -> None:
    unit = smallest_unit(currency)
    for each in journal(OCTOBER, owed, currency, Accounts()):
        assert each.amount == each.amount.quantize(unit)
        assert each.amount
        assert each.account != "ROUNDING" or each.amount == unit


@pytest.mark.parametrize("currency", CURRENCIES)
@LAW
@given(CODES)
def test_a_share_is_less_than_a_unit_from_its_exact_amount(
    currency: str, codes: dict[str | None, Decimal]
) -> None:
    for code, share in shares(codes, currency).items():
        assert abs(share - codes[code]) < smallest_unit(currency)


@LAW
@given(OWED, st.randoms(use_true_random=False))
def test_the_order_of_what_is_owed_changes_no_byte(owed: Owed, random: Random) -> None:
    texts = {
        journal_csv(journal(OCTOBER, each, "USD", Accounts()), OCTOBER, "USD")
        for each in (owed, shuffled(owed, random))
    }
    assert len(texts) == 1
