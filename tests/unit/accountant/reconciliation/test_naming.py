from __future__ import annotations

import pytest
from metrics_service import resource_id

from accountant.rate_cards.retail_meters import read_meter
from accountant.reconciliation.naming import Naming, Resource, ResourceMap, account_of

WEU = resource_id("AOAI-weu")


def naming(*resources: Resource) -> Naming:
    return Naming(ResourceMap(resources), ["weu-1", "aoai-weu"], ["gpt-4o-Mini"])


@pytest.mark.parametrize(
    ("told", "account"),
    [
        (WEU, "AOAI-weu"),
        (WEU + "/deployments/mini", "AOAI-weu"),
        (WEU.lower(), "aoai-weu"),
        ("aoai-weu", "aoai-weu"),
        ("/subscriptions/1/accounts", "accounts"),
        ("", ""),
    ],
)
def test_an_account_is_named_in_its_arm_id(told: str, account: str) -> None:
    assert account_of(told) == account


def test_a_resource_has_the_name_of_a_backend_or_its_own() -> None:
    assert naming().backend(WEU) == "aoai-weu"
    assert naming().backend("weu-1") == "weu-1"
    assert naming().backend(resource_id("other")) == "other"


@pytest.mark.parametrize("known_as", [WEU, WEU.upper(), "aoai-WEU"])
def test_a_map_knows_it_by_id_or_by_name(known_as: str) -> None:
    assert naming(Resource(id=known_as, backend="weu-1")).backend(WEU) == "weu-1"


def test_the_id_is_better_known_than_the_name() -> None:
    two = (Resource(id="aoai-weu", backend="a"), Resource(id=WEU, backend="b"))
    assert naming(*two).backend(WEU) == "b"
    assert naming(*two).backend(resource_id("aoai-weu", "other")) == "a"


def test_a_deployment_has_our_name() -> None:
    mapped = naming(Resource(id=WEU, backend="weu-1", deployments={"Mini-Prod": "gpt-4o-Mini"}))
    assert mapped.deployment(WEU, "mini-prod") == "gpt-4o-Mini"
    assert mapped.deployment("", "mini-prod") == "mini-prod"
    assert mapped.deployment(WEU, "GPT-4o-mini") == "gpt-4o-Mini"
    assert mapped.deployment(WEU, "other") == "other"


def test_a_meter_is_read_unless_the_map_says_what_it_means() -> None:
    meant = read_meter("gpt 4o mini 0718 Inp glbl Tokens")
    assert meant is not None
    mapped = Naming(ResourceMap(meters={"odd one": meant}), [], [])
    assert mapped.meter("Odd One ") == meant
    assert mapped.meter("gpt 4o mini 0718 Inp glbl Tokens") == meant
    assert mapped.meter("odd two") is None
