"""The OpenAPI document of the gateway: valid, complete, and kept by the proxy."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
import schemathesis
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from log_workspace import logged
from openapi_spec_validator import validate
from policies.world import FOLDER, FRAGMENTS
from proxying import KEY
from schemathesis.specs.openapi import checks
from serving import world

from tollgate.events.backfill import Direct, missing_event
from tollgate.events.gateway_log import logged_calls
from tollgate.proxy.routes import OPERATIONS, ListRoute, Route, StoredRoute, find_route

DOCUMENT: dict[str, Any] = yaml.safe_load((FOLDER / "openapi.yaml").read_text("utf-8"))
BILLING = {"username", "companyName", "billingCode"}
EXAMPLES = {"deployment": "mini", "response": "resp_1", "model": "mini"}
# Operation -> a model that serves it; files are not made up, so those that need one are not here.
MODELS = {
    "ChatCompletions_Create": "gpt-4o-mini",
    "Completions_Create": "gpt-4o-mini",
    "Embeddings_Create": "text-embedding-3-small",
    "ImageGenerations_Create": "gpt-image-1",
    "Models_Get": "gpt-4o-mini",
    "Responses_Create": "gpt-4o-mini",
    "Speech_Create": "tts-1",
}
_checks: Any = checks
KEPT: list[Any] = [
    _checks.content_type_conformance,
    _checks.response_headers_conformance,
    _checks.response_schema_conformance,
    _checks.status_code_conformance,
]


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method, path with example values, and the operation."""
    for path, item in DOCUMENT["paths"].items():
        for method, operation in item.items():
            yield method.upper(), "/openai" + path.format(**EXAMPLES), operation


def ids() -> list[str]:
    return [operation["operationId"] for _, _, operation in operations()]


def resolved(reference: dict[str, str]) -> dict[str, Any]:
    found = DOCUMENT
    for part in reference["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return found


def parameters(operation: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in map(resolved, operation["parameters"])}


def route(method: str, path: str) -> Route | StoredRoute | ListRoute:
    return find_route(method, path)


def test_public_validator_finds_nothing() -> None:
    validate(DOCUMENT)


def test_operations_are_those_that_the_proxy_serves() -> None:
    served = {(each.api, each.surface) for each in routes() if isinstance(each, Route)}
    everything = {(api, surface) for api in OPERATIONS.values() for surface in ("dated", "v1")}
    assert served == everything
    actions = {(each.action, each.surface) for each in routes() if isinstance(each, StoredRoute)}
    assert len(actions) == 8


def routes() -> list[Route | StoredRoute | ListRoute]:
    return [route(method, path) for method, path, _ in operations()]


def test_operations_without_the_proxy_are_those_that_the_policies_serve() -> None:
    direct = {
        path.removeprefix("/openai").removeprefix("/deployments/mini").removeprefix("/v1")
        for _, path, operation in operations()
        if "proxy" not in operation["tags"]
    }
    assert direct == {"/chat/completions", "/completions", "/embeddings", "/responses"}
    assert all(f"&quot;{path[1:]}&quot;" in FRAGMENTS["tollgate-route"] for path in direct)


def test_log_names_each_operation_so_that_the_backfill_knows_its_api() -> None:
    direct = Direct(gateway="gw", apis=("openai",), tenants={}, deployments={})
    for method, path, operation in operations():
        if "proxy" not in operation["tags"]:
            row = logged("id-1", OperationId=operation["operationId"])
            event = missing_event(logged_calls([row])["id-1"], direct)
            assert event is not None
            assert event.data.api == route(method, path).api


def test_every_operation_takes_the_billing_parameters_and_says_its_errors() -> None:
    assert len(set(ids())) == len(ids())
    for _, _, operation in operations():
        taken = parameters(operation)
        assert {name for name, each in taken.items() if each["in"] == "query"} >= BILLING
        assert set(operation["responses"]) == {
            "200",
            "400",
            "401",
            "403",
            "404",
            "429",
            "503",
            "default",
        }
        for answer in map(resolved, operation["responses"].values()):
            assert "x-request-id" in answer["headers"]


def test_surface_decides_the_version() -> None:
    for method, path, operation in operations():
        is_dated = parameters(operation)["api-version"].get("required", False)
        surface = getattr(route(method, path), "surface", "dated" if is_dated else "v1")
        assert is_dated == (surface == "dated")
        assert operation["tags"][0] == surface


@pytest.mark.parametrize("name", ids())
async def test_proxy_keeps_what_the_document_says(name: str) -> None:
    async with world() as served:
        statuses = await asyncio.to_thread(ask_anything, DOCUMENT, name, served.url)
        await served.events(len(statuses))


@pytest.mark.parametrize("name", [name for name in ids() if name.split("_V1")[0] in MODELS])
async def test_model_answers_what_the_document_lets_a_client_ask(name: str) -> None:
    document = deepcopy(DOCUMENT)
    document["components"]["schemas"]["Name"] = {"enum": [MODELS[name.split("_V1", maxsplit=1)[0]]]}
    document["components"]["parameters"]["companyName"]["schema"] = {"enum": ["Contoso GmbH"]}
    async with world() as served:
        statuses = await asyncio.to_thread(ask_anything, document, name, served.url)
        await served.events(len(statuses))
    assert 200 in statuses


def ask_anything(document: dict[str, Any], name: str, url: str) -> list[int]:
    """Ask for what a document allows; gives the statuses."""
    statuses: list[int] = []
    schema: Any = schemathesis.openapi.from_dict(document)

    @given(case=schema.find_operation_by_id(name).as_strategy())
    @settings(
        max_examples=6,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
    def ask(case: Any) -> None:
        answer = case.call(base_url=f"{url}/openai", headers={"api-key": KEY})
        statuses.append(answer.status_code)
        case.validate_response(answer, checks=KEPT)

    ask()
    return statuses
