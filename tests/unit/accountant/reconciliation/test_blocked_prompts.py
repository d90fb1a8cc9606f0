from __future__ import annotations

from accounting import sku
from reconciling import THE_15TH, counts, prompt, provider

from accountant.reconciliation.blocked_prompts import only_places, with_blocked
from accountant.reconciliation.items import FOLDINGS, Item
from accountant.reconciliation.sides import Provided
from tollgate.usage.sku import Sku

PLACE = Item(backend="weu-1", model="gpt-4o-mini")
INPUT = Item(backend="weu-1", model="gpt-4o-mini", meter="input")
METRICS = provider(
    counts=counts(90, item=prompt(meter="requests"), blocked=4) | counts(7, blocked=4)
)


def places(*skus: Sku) -> dict[tuple[str | None, str | None], Item]:
    return only_places((each, FOLDINGS["invoice"].place(each)) for each in skus)


def test_blocked_calls_stand_beside_the_input_of_their_deployment() -> None:
    invoice = provider("invoice", counts={(THE_15TH, INPUT): Provided(quantity=1000)})
    found = with_blocked(invoice, METRICS, {("weu-1", "gpt-4o-mini"): PLACE})
    assert found.counts == {(THE_15TH, INPUT): Provided(quantity=1000, blocked=4)}
    assert invoice.counts[THE_15TH, INPUT].blocked == 0


def test_they_may_be_all_that_there_is() -> None:
    found = with_blocked(provider("invoice"), METRICS, {("weu-1", "gpt-4o-mini"): PLACE})
    assert found.counts == {(THE_15TH, INPUT): Provided(blocked=4)}


def test_a_deployment_whose_place_is_not_known_tells_nothing() -> None:
    assert with_blocked(provider("invoice"), METRICS, {}).counts == {}


def test_a_deployment_has_a_place_if_all_of_it_stands_there() -> None:
    assert len(places(sku(), sku(provenance="estimated"))) == 1
    assert places(sku(), sku(scope="global")) == {}
    assert places(sku(deployment_type="provisioned")) == {}
