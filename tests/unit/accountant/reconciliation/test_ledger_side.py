from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from accounting import card, money_cell, rate, sku, used
from exporting import owed
from reconciling import THE_15TH, ledger_reading, prompt

from accountant.reconciliation.items import FOLDINGS, Item
from accountant.reconciliation.ledger_side import LedgerReading
from accountant.reconciliation.sides import Booked
from tollgate.ledger.cells import Meter, Usage


def usage(requests: int = 1, **meters: int) -> Usage:
    return Usage(requests, {name: Meter(count, requests) for name, count in meters.items()})


def booked(item: Item, *cells: Any, source: Any = "metrics", day: date = THE_15TH) -> Booked:
    return ledger_reading(cells, source).side().counts[day, item]


def test_counts_are_added_as_azure_monitor_tells_them() -> None:
    leaves = usage(2, input=10, cached_input=20, audio_input=5, output=3, reasoning_output=4)
    side = ledger_reading([money_cell(usage=leaves), money_cell(tenant="fabrikam")]).side()
    found = {item.meter: each.quantity for (_, item), each in side.counts.items()}
    assert found == {"prompt": 1035, "completion": 7, "requests": 3}
    assert side.counts[THE_15TH, prompt()].audio == 5
    assert side.counts[THE_15TH, prompt()].requests == 3


def test_the_invoice_has_leaves_and_no_requests() -> None:
    leaves = usage(input=10, cached_input=20, output=3, reasoning_output=4)
    side = ledger_reading([money_cell(usage=leaves)], "invoice").side()
    found = {item.meter: each.quantity for (_, item), each in side.counts.items()}
    assert found == {"input": 10, "cached_input": 20, "output": 7}


@pytest.mark.parametrize(
    ("hour", "first", "last"), [("00", 1000, 0), ("12", 0, 0), ("23", 0, 1000)]
)
def test_what_was_booked_beside_midnight_is_known(hour: str, first: int, last: int) -> None:
    found = booked(prompt(), money_cell(hour=f"2026-10-15T{hour}"))
    assert (found.first_hour, found.last_hour) == (first, last)


def test_estimates_are_known_in_tokens_and_in_requests() -> None:
    cells = [money_cell(), money_cell(sku=sku(provenance="estimated"), usage=used(70, 2))]
    side = ledger_reading(cells).side()
    assert side.counts[THE_15TH, prompt()].estimated == 70
    assert side.estimated == {(THE_15TH, prompt().place): 2}


@pytest.mark.parametrize("provenance", ["pending", "unknown"])
def test_requests_without_counts_are_uncounted(provenance: Any) -> None:
    side = ledger_reading([money_cell(sku=sku(provenance=provenance), usage=Usage(3, {}))]).side()
    assert side.uncounted == {(THE_15TH, prompt().place): 3}
    assert [item.meter for _, item in side.counts] == ["requests"]


def test_what_no_deployment_answered_stands_apart() -> None:
    nothing = money_cell(sku=sku(provenance="none", backend=None), usage=Usage(3, {}))
    side = ledger_reading([nothing]).side()
    (apart,) = side.apart
    assert (apart.kind, apart.quantity, apart.unit) == ("refused_or_cached", 3, "request")
    assert side.counts == {}


def test_provisioned_throughput_stands_apart_from_the_invoice_alone() -> None:
    cell = money_cell(sku=sku(deployment_type="provisioned"))
    (apart,) = ledger_reading([cell], "invoice").side().apart
    assert (apart.kind, apart.quantity, apart.unit) == ("provisioned", 1000, "token")
    assert ledger_reading([cell]).side().apart == ()


def test_what_is_not_metered_by_tokens_stands_apart() -> None:
    (apart,) = ledger_reading([money_cell(usage=usage(characters=50))]).side().apart
    assert (apart.kind, apart.quantity, apart.unit) == ("other_units", 50, "character")


def test_charges_give_the_same_usage_its_amounts() -> None:
    cells = [money_cell(), money_cell(tenant="fabrikam", usage=used(3000))]
    reading = ledger_reading(cells, "invoice", card())
    ((_, item),) = reading.side("USD").counts
    assert reading.side("USD").counts[THE_15TH, item].amount == Decimal("0.0006")
    assert reading.owed == {
        (item, "contoso"): Decimal("0.00015"),
        (item, "fabrikam"): Decimal("0.00045"),
    }


def test_usage_without_a_rate_has_a_quantity_and_no_amount() -> None:
    reading = ledger_reading([money_cell()], "invoice", card(rate(model="gpt-9")))
    (found,) = reading.side("USD").counts.values()
    assert (found.amount, found.unpriced) == (Decimal(0), 1000)


def test_charges_beside_usage_stand_apart() -> None:
    reading = LedgerReading(FOLDINGS["invoice"])
    reading.add_charges([owed("12.50", category="Adjustment"), owed("-2.00", category="Credit")])
    (apart,) = reading.side("USD").apart
    assert (apart.kind, apart.amount, apart.currency) == ("other_charges", Decimal("10.5"), "USD")


def test_charges_of_provisioned_tokens_stand_apart_with_them() -> None:
    cell = money_cell(sku=sku(deployment_type="provisioned"))
    reading = ledger_reading([cell], "invoice", card())
    found = {each.kind: each.amount for each in reading.side("USD").apart}
    # its statement's rounding to nothing is a charge beside usage, too
    assert found == {"provisioned": None}


def test_charges_of_units_are_not_compared() -> None:
    cell = money_cell(usage=usage(characters=5_000_000))
    reading = ledger_reading([cell], "invoice", card(rate("2", meter="characters")))
    assert reading.side("USD").counts == {}
