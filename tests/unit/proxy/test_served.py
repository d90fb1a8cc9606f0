from __future__ import annotations

import msgspec
import pytest
from proxying import backend, deployment

from tollgate.proxy.messages import Headers
from tollgate.proxy.pool import Target
from tollgate.proxy.served import served_target

FULL = deployment(deployment_type="provisioned")
SPARE = deployment(name="spare", scope="global")
ASKED = Target(backend(deployments={"gpt-4o-mini": FULL, "other-alias": SPARE}), FULL)


def headers(name: str) -> Headers:
    return (("x-ms-spillover-from-deployment", "mini"), ("x-ms-deployment-name", name))


NO_NAMES = [headers(""), headers("x" * 257), headers("a\x7fb"), headers("a\x85b")]


def test_after_a_spillover_the_spare_deployment_has_served() -> None:
    assert served_target(ASKED, dict(headers("spare"))) == Target(ASKED.backend, SPARE)


def test_a_spare_deployment_that_is_not_known_is_a_standard_one_of_the_same_model() -> None:
    expected = msgspec.structs.replace(FULL, name="new", deployment_type="standard")
    assert served_target(ASKED, dict(headers("new"))).deployment == expected


@pytest.mark.parametrize("said", [(), headers("spare")[1:], headers("spare")[:1], *NO_NAMES])
def test_without_a_spillover_the_deployment_asked_for_has_served(said: Headers) -> None:
    assert served_target(ASKED, dict(said)) is ASKED


@pytest.mark.parametrize(
    ("said", "booked"),
    [
        ("Sweden Central", "swedencentral"),
        ("eastus2", "eastus2"),
        ("", "westeurope"),
        ("x" * 65, "westeurope"),
    ],
)
def test_the_region_is_the_one_that_the_answer_names(said: str, booked: str) -> None:
    assert served_target(ASKED, {"x-ms-region": said}).backend.region == booked
