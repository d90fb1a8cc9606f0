"""The app as the Functions worker indexes it."""

from __future__ import annotations

import inspect
import json
import re
import typing
from pathlib import Path
from typing import Any

import azure.functions as func
import pytest
from azurefunctions.extensions.base import HttpV2FeatureChecker
from azurefunctions.extensions.http.fastapi import Request

import function_app
from tollgate.ledger.batch import MAX_EVENTS_A_CALL

ROOT = Path(function_app.__file__).parent
FUNCTIONS: dict[str, Any] = {
    str(function.get_function_name()): function for function in function_app.app.get_functions()
}
HTTP = ["gateway_openai", "gateway_v1", "health", "usage_webhook"]
TIMERS = ["backfill_timer", "journal_timer", "seal_timer"]
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def _bindings(name: str) -> list[dict[str, Any]]:
    return json.loads(FUNCTIONS[name].get_function_json())["bindings"]


def _trigger(name: str) -> dict[str, Any]:
    return _bindings(name)[0]


def _app_settings() -> dict[str, str]:
    return json.loads((ROOT / "local.settings.sample.json").read_text())["Values"]


def _host() -> dict[str, Any]:
    return json.loads((ROOT / "host.json").read_text())


def test_there_is_one_app_in_the_namespace() -> None:
    found = [
        value for value in vars(function_app).values() if isinstance(value, func.FunctionRegister)
    ]
    assert found == [function_app.app]


def test_every_function_is_registered_once() -> None:
    others = ["usage_event_grid", "usage_event_hub"]
    assert sorted(FUNCTIONS) == sorted([*HTTP, *TIMERS, *others])


@pytest.mark.parametrize("name", FUNCTIONS)
def test_binding_parameters_are_annotated_as_the_worker_understands_it(name: str) -> None:
    function = FUNCTIONS[name].get_user_function()
    hints = typing.get_type_hints(function)
    for parameter in inspect.signature(function).parameters:
        hint = hints[parameter]
        # As the worker checks it: list[X] is neither, only typing.List[X] is.
        is_typing_list = typing.get_origin(hint) is list and type(hint).__module__ == "typing"
        assert inspect.isclass(hint) or is_typing_list
        assert parameter in {binding["name"] for binding in _bindings(name)}


@pytest.mark.parametrize("name", HTTP)
def test_http_functions_take_the_streaming_extensions_request(name: str) -> None:
    assert typing.get_type_hints(FUNCTIONS[name].get_user_function())["req"] is Request
    assert [binding["type"] for binding in _bindings(name)] == ["httpTrigger", "http"]
    assert HttpV2FeatureChecker.http_v2_enabled()


@pytest.mark.parametrize(
    ("name", "route", "methods"),
    [
        ("gateway_openai", "openai/{*path}", METHODS),
        ("gateway_v1", "v1/{*path}", METHODS),
        ("health", "health", ["GET"]),
        ("usage_webhook", "usage-events", ["POST", "OPTIONS"]),
    ],
)
def test_routes_methods_and_access(name: str, route: str, methods: list[str]) -> None:
    trigger = _trigger(name)
    assert (trigger["route"], trigger["methods"]) == (route, methods)
    assert trigger["authLevel"] == "ANONYMOUS"  # each knows its callers by keys of its own


def test_routes_do_not_clash_with_each_other_or_with_the_hosts() -> None:
    heads = [_trigger(name)["route"].split("/")[0] for name in HTTP]
    assert len({*heads, "admin", "runtime"}) == len(heads) + 2
    assert _host()["extensions"]["http"]["routePrefix"] == ""


@pytest.mark.parametrize("name", TIMERS)
def test_a_timer_never_runs_at_each_start_of_an_instance(name: str) -> None:
    (binding,) = _bindings(name)
    assert (binding["type"], binding["runOnStartup"]) == ("timerTrigger", False)
    assert len(binding["schedule"].split()) == 6


def test_the_event_grid_trigger_takes_one_event() -> None:
    assert _bindings("usage_event_grid") == [
        {"direction": "IN", "type": "eventGridTrigger", "name": "event"}
    ]


def test_the_event_hub_trigger_takes_batches_of_bytes() -> None:
    assert _bindings("usage_event_hub") == [
        {
            "direction": "IN",
            "type": "eventHubTrigger",
            "name": "events",
            "dataType": "BINARY",
            "connection": "EVENTHUB_CONNECTION",
            "eventHubName": "%EVENTHUB_NAME%",
            "cardinality": "MANY",
            "consumerGroup": "%EVENTHUB_CONSUMER_GROUP%",
        }
    ]


def test_the_event_hub_trigger_is_tried_again_without_end() -> None:
    policy = FUNCTIONS["usage_event_hub"].get_settings_dict("retry_policy")
    assert policy["strategy"] == "exponential_backoff"
    assert policy["max_retry_count"] == "-1"
    intervals = [policy["minimum_interval"], policy["maximum_interval"]]
    assert all(re.fullmatch(r"\d\d:[0-5]\d:[0-5]\d", interval) for interval in intervals)
    assert intervals[0] < intervals[1]


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name != "usage_event_hub"])
def test_no_other_trigger_has_a_retry_policy_that_the_host_would_ignore(name: str) -> None:
    assert not FUNCTIONS[name].get_settings_dict("retry_policy")


def test_every_setting_that_a_binding_names_is_in_the_sample() -> None:
    bindings = [binding for name in FUNCTIONS for binding in _bindings(name)]
    named = {*re.findall(r"%(\w+)%", json.dumps(bindings))}
    named |= {binding["connection"] for binding in bindings if "connection" in binding}
    assert named == {"EVENTHUB_CONNECTION", "EVENTHUB_NAME", "EVENTHUB_CONSUMER_GROUP"}
    assert named <= _app_settings().keys()


def test_the_sample_has_what_streaming_and_cloud_events_need() -> None:
    settings = _app_settings()
    assert settings["FUNCTIONS_WORKER_RUNTIME"] == "python"
    assert settings["PYTHON_ENABLE_INIT_INDEXING"] == "1"
    assert settings["PYTHON_ISOLATE_WORKER_DEPENDENCIES"] == "1"


def test_the_sample_switches_the_hub_trigger_off_as_it_names_no_hub() -> None:
    settings = _app_settings()
    assert settings["EVENTHUB_CONNECTION"] == ""
    assert settings["AzureWebJobs.usage_event_hub.Disabled"] == "true"


def test_the_sample_names_settings_that_are_there() -> None:
    assert (ROOT / _app_settings()["TOLLGATE_CONFIG"]).is_file()


def test_a_hub_read_for_the_first_time_is_read_from_its_start() -> None:
    hubs = _host()["extensions"]["eventHubs"]
    assert hubs["initialOffsetOptions"] == {"type": "fromStart"}
    assert hubs["batchCheckpointFrequency"] == 1


def test_a_delivered_batch_is_one_call_of_the_ledger() -> None:
    assert _host()["extensions"]["eventHubs"]["maxEventBatchSize"] == MAX_EVENTS_A_CALL


def test_what_the_app_imports_is_deployed() -> None:
    ignored = (ROOT / ".funcignore").read_text().split()
    deployed = {"function_app.py", "host.json", "requirements.txt", "tollgate/"}
    assert not deployed & {*ignored}
    assert {"tests/", ".venv/", "local.settings*.json", "tollgate/local/"} <= {*ignored}
