from __future__ import annotations

import pytest
from accounting import sku

from accountant.reconciliation.items import FOLDINGS, Item, item_order


def test_azure_monitor_tells_resource_and_deployment() -> None:
    folding = FOLDINGS["metrics"]
    assert folding.place(sku()) == Item(backend="weu-1", deployment="gpt-4o-mini")
    assert folding.has_requests


@pytest.mark.parametrize(
    ("leaf", "meter"),
    [
        *(("input", "prompt"), ("cached_input", "prompt"), ("audio_input", "prompt")),
        *(("output", "completion"), ("audio_output", "completion")),
    ],
)
def test_its_counts_are_inclusive(leaf: str, meter: str) -> None:
    assert FOLDINGS["metrics"].meter(leaf) == meter


def test_the_log_of_the_gateway_tells_no_resource() -> None:
    assert FOLDINGS["log"].place(sku()) == Item(deployment="gpt-4o-mini")


def test_the_invoice_tells_the_model_as_it_is_offered() -> None:
    place = FOLDINGS["invoice"].place(sku(scope="data_zone"))
    assert place == Item(
        backend="weu-1",
        model="gpt-4o-mini",
        model_version="2024-07-18",
        scope="data_zone",
        deployment_type="standard",
        service_tier="default",
    )
    assert FOLDINGS["invoice"].meter("cached_input") == "cached_input"


def test_a_version_is_told_only_where_a_meter_has_one() -> None:
    place = FOLDINGS["invoice"].place(sku(model="gpt-4.1", model_version="2025-04-14"))
    assert place is not None
    assert place.model_version is None


@pytest.mark.parametrize(
    ("tier", "told"), [(None, "default"), ("auto", "default"), ("priority", "priority")]
)
def test_a_tier_that_says_nothing_is_the_default(tier: str | None, told: str) -> None:
    place = FOLDINGS["invoice"].place(sku(service_tier=tier))
    assert place is not None
    assert place.service_tier == told


def test_the_invoice_has_no_tokens_of_provisioned_throughput() -> None:
    assert FOLDINGS["invoice"].place(sku(deployment_type="provisioned")) is None
    assert FOLDINGS["metrics"].place(sku(deployment_type="provisioned")) is not None


def test_items_stand_by_name_and_then_as_meters_are_listed() -> None:
    meters = ["requests", "prompt", "completion", "zeta", "output", "input"]
    items = [Item(backend="b", meter=meter) for meter in meters] + [Item(backend="a"), Item()]
    found = sorted(items, key=item_order)
    assert [each.backend for each in found] == ["a", *"bbbbbb", None]
    assert [each.meter for each in found[1:7]] == [
        *("prompt", "completion", "input", "output", "requests", "zeta")
    ]
