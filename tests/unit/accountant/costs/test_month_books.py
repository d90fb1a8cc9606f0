from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from accounting import card, money_cell, rate, rule, sku, used, user_cell
from costing import amounts, fx, once, provisioned, ptu, reader, reassign, shared

from accountant.charges import Charge, Uncharged
from accountant.costs.cost_files import Costs
from accountant.errors import CostsError, NoSuchTenant
from accountant.rate_cards.rate_card import RateCard
from tollgate.ledger.cells import Meter, Usage

MILLION = money_cell(usage=used(1_000_000))
SERVED = money_cell(sku=provisioned(), usage=used(6000))


def test_usage_that_throughput_served_is_in_an_entry_and_neither_priced_nor_unpriced() -> None:
    found = reader(Costs(provisioned=(ptu(),)), [SERVED])
    charges = list(found.read())
    assert [(each.tenant, type(each)) for each in charges] == [
        ("contoso", Charge),
        ("unallocated", Charge),
    ]
    assert found.unpriced == 0
    assert found.requests == {("contoso", "measured"): 1}
    report = reader(Costs(provisioned=(ptu(),)), [SERVED]).report(["tenant"])
    assert (report.lines, report.unpriced, report.total) == ([], [], 24)


def test_provisioned_usage_that_no_row_pays_for_is_unpriced() -> None:
    other = money_cell(sku=sku(deployment="other", deployment_type="provisioned", model="gpt-9"))
    found = reader(Costs(provisioned=(ptu(),)), [other])
    (left_out,) = (each for each in found.read() if isinstance(each, Uncharged))
    assert left_out.consumed is not None
    assert (left_out.sku.deployment, left_out.consumed.quantity) == ("other", 1000)


def test_what_spilled_over_is_at_token_prices() -> None:
    spilled = money_cell(sku=sku(deployment="gpt-4o-spill"), usage=used(1_000_000))
    found = reader(Costs(provisioned=(ptu(),)), [SERVED, spilled])
    usage = [each for each in found.read() if isinstance(each, Charge) and each.metered]
    assert [each.amount for each in usage] == [Decimal("0.15")]
    assert next(iter(amounts(found).values())) == 1


def test_calls_on_provisioned_deployments_keep_their_price_and_pending_ones_are_uncounted() -> None:
    both = {"input": Meter(10, 1), "web_search_calls": Meter(4, 1)}
    cells = [
        money_cell(sku=provisioned(), usage=Usage(1, both)),
        money_cell(sku=provisioned(provenance="pending"), usage=Usage(2, {})),
    ]
    prices = card(rate("0.01", meter="web_search_calls", per=1))
    found = reader(Costs(provisioned=(ptu(),)), cells, prices=prices)
    charges = [each for each in found.read() if isinstance(each, Charge) and each.metered]
    assert [each.amount for each in charges] == [Decimal("0.04")]
    assert (found.unpriced, found.uncounted) == (0, 1)


def test_used_throughput_counts_when_costs_are_shared_by_what_is_paid() -> None:
    priced = money_cell(tenant="fabrikam", billing_code="f", usage=used(20_000_000))
    costs = Costs(provisioned=(ptu(),), shared=(shared(),))
    found = amounts(reader(costs, [SERVED, priced]))
    assert found["contoso", "CC-1001", "gateway, by usage cost"] == Decimal("25.00")
    assert found["fabrikam", "f", "gateway, by usage cost"] == Decimal("75.00")


def test_discounts_are_those_of_who_pays() -> None:
    prices = RateCard([rate()], [rule("50", tenant="fabrikam")])
    costs = Costs(reassignments=(reassign(tenant="contoso", to_tenant="fabrikam"),))
    (charge, *_) = reader(costs, [MILLION], prices=prices).read()
    assert isinstance(charge, Charge)
    assert (charge.tenant, charge.amount) == ("fabrikam", Decimal("0.075"))


def test_requests_move_with_their_usage_in_both_views() -> None:
    costs = Costs(reassignments=(reassign(tenant="contoso", to_tenant="fabrikam"),))
    found = reader(costs, [MILLION], [user_cell()])
    by_hour, by_user = found.report(["tenant"]), found.report(["user"])
    assert [each.tenant for each in by_hour.statements] == ["fabrikam"]
    assert [line.group for line in by_user.lines] == [("alice",)]
    assert found.requests == {("fabrikam", "measured"): 2}


def test_prices_and_fixed_costs_are_in_the_currency_of_the_books() -> None:
    costs = Costs(exchange=(fx("0.5"),), charges=(once("3.00"),), currency="EUR")
    found = reader(costs, [MILLION])
    report = found.report(["tenant"])
    assert (found.currency, report.currency, report.total) == ("EUR", "EUR", Decimal("1.58"))
    (line,) = report.lines
    assert line.unit_price == Decimal("0.075")
    (charge, *_) = found.read()
    assert isinstance(charge, Charge)
    assert charge.price is not None
    assert charge.price.exchange is not None
    assert charge.price.exchange.currency == "USD"


def test_every_missing_rate_is_told_before_anything_is_read() -> None:
    costs = Costs(
        exchange=(fx("0.5", effective_to=date(2026, 10, 15)),),
        credits=(once(currency="GBP"), once(currency="CHF", day=date(2026, 11, 1))),
        shared=(shared(currency="EUR"),),
        currency="EUR",
    )
    with pytest.raises(CostsError) as caught:
        reader(costs, [MILLION])
    assert [each.partition(";")[0] for each in caught.value.problems] == [
        "no exchange rate from GBP to EUR on 2026-10-15",
        "no exchange rate from USD to EUR on 2026-10-15",
    ]


def test_a_day_without_usage_needs_no_rate() -> None:
    costs = Costs(exchange=(fx("0.5", effective_from=date(2026, 10, 15)),), currency="EUR")
    assert reader(costs, [MILLION]).report(["tenant"]).total == Decimal("0.08")


def test_a_tenant_has_its_own_entries_only_and_who_only_owes_is_known() -> None:
    costs = Costs(credits=(once(), once(tenant="fabrikam")))
    found = reader(costs, [MILLION], tenant="fabrikam")
    assert [each.tenant for each in found.read()] == ["fabrikam"]
    with pytest.raises(NoSuchTenant):
        reader(costs, [MILLION], tenant="adatum")


def test_the_edition_names_the_costs_and_the_prices() -> None:
    found = reader(Costs(version="4711"), [MILLION])
    assert (found.edition.costs, found.edition.rate_card) == ("4711", card().version)
    assert found.cost_centres is not None
    assert found.cost_centres.cost_centre("contoso", None, date(2026, 10, 1)) is None
