from __future__ import annotations

from typing import Any

import msgspec
import pytest
from proxying import backend, deployment

from tollgate.proxy.listing import Listing
from tollgate.proxy.refusals import Refusal
from tollgate.proxy.routes import ListRoute

BACKENDS = (
    backend("weu-1", deployments={"mini": deployment(), "big": deployment(model="gpt-4o")}),
    backend("neu-1", deployments={"mini": deployment(model="gpt-4.1-mini")}),
)


def listed(what: Any, name: str | None = None) -> dict[str, Any]:
    answer = Listing(BACKENDS).answer(ListRoute(what=what, name=name))
    assert answer.status == 200
    assert isinstance(answer.body, bytes)
    return msgspec.json.decode(answer.body)


def test_models_are_the_aliases_that_clients_may_name_each_once() -> None:
    found = listed("models")
    assert found["object"] == "list"
    assert [model["id"] for model in found["data"]] == ["big", "mini"]
    assert {model["object"] for model in found["data"]} == {"model"}


def test_deployments_say_which_models_stand_behind_them() -> None:
    found = {entry["id"]: entry["model"] for entry in listed("deployments")["data"]}
    assert found == {"big": "gpt-4o", "mini": "gpt-4.1-mini, gpt-4o-mini"}


@pytest.mark.parametrize("what", ["models", "deployments"])
def test_one_of_them_is_found_by_its_name(what: str) -> None:
    assert listed(what, "mini") in listed(what)["data"]


@pytest.mark.parametrize("what", ["models", "deployments"])
def test_what_is_not_served_is_not_found(what: Any) -> None:
    with pytest.raises(Refusal) as refused:
        Listing(BACKENDS).answer(ListRoute(what=what, name="gpt-9"))
    assert (refused.value.status, refused.value.code) == (404, "DeploymentNotFound")


def test_nothing_of_a_backend_is_told_but_its_models() -> None:
    told = str(listed("deployments")) + str(listed("models"))
    for secret in ("weu-1", "example", "2024-07-18", "'mini-here'"):
        assert secret not in told
