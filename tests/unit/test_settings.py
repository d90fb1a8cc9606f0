from __future__ import annotations

from copy import deepcopy
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tollgate.errors import SettingsError
from tollgate.settings import (
    DEFAULT_JOURNAL,
    check_settings,
    load_settings,
    not_enforced,
    read_environment,
    resolve_secret,
)

SAMPLE = Path(__file__).parents[2] / "tollgate.sample.yaml"
HASH = "sha256:" + "0" * 64
SECRET = "sk-live-51H8xJ2"

GOOD: dict[str, Any] = {
    "gateway": {"id": "gw-weu"},
    "backends": [
        {
            "name": "weu",
            "url": "https://weu.example/openai",
            "region": "westeurope",
            "auth": "managed_identity",
            "deployments": {"mini": {"name": "mini", "model": "gpt-4o-mini"}},
        }
    ],
    "tenants": [{"name": "contoso", "keys": [HASH]}],
}


def changed(place: str, value: Any) -> dict[str, Any]:
    """The good settings with one value changed."""
    settings = deepcopy(GOOD)
    *path, last = place.split(".")
    inner: Any = settings
    for step in path:
        inner = inner[int(step)] if step.isdigit() else inner.setdefault(step, {})
    inner[last] = value
    return settings


def problems(raw: object) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        check_settings(raw, "t.yaml")
    return [problem.removeprefix("t.yaml: ") for problem in caught.value.problems]


def test_the_sample_is_good() -> None:
    settings = load_settings(SAMPLE)
    assert settings.tenants[0].budget is not None
    assert settings.tenants[0].budget.amount == Decimal("500.00")
    assert settings.backends[0].deployments["gpt-4o-mini"].version == "2024-07-18"


def test_the_sample_shows_every_section() -> None:
    settings = load_settings(SAMPLE)
    assert settings.model_fields_set == set(type(settings).model_fields)


def test_what_is_left_out_has_a_default() -> None:
    settings = check_settings(GOOD)
    assert (settings.breaker.failures, settings.retry.attempts) == (1, 3)
    assert settings.unknown_billing_code == "suspense"
    assert settings.backends[0].deployments["mini"].scope == "regional"


def test_every_problem_is_told_at_once_with_its_place() -> None:
    raw = changed("backends.0.url", "weu.example")
    raw["gateway"] = {"name": "gw"}
    raw["tenants"] = [{"name": "contoso"}, {"name": "Contoso", "keys": ["secret"]}]
    assert problems(raw) == [
        "gateway.id: is missing",
        "gateway.name: unknown key",
        "backends[0].url: must be an http or https URL without user, query and fragment",
        "tenants[1].keys[0]: must be sha256: and the 64 lower-case hex digits of the key's SHA-256",
        "tenants: the name or alias 'contoso' stands at two tenants",
    ]


@pytest.mark.parametrize(
    ("place", "value", "problem"),
    [
        ("retry.attempts", "3", "retry.attempts: must be a valid integer"),
        ("retry.attempts", True, "retry.attempts: must be a valid integer"),
        ("retry.attempts", 0, "retry.attempts: must be greater than 0"),
        ("retry.first_byte_timeout_s", float("inf"), "must be a finite number"),
        ("breaker.honour_retry_after", "yes", "must be a valid boolean"),
        ("gateway.id", 7, "gateway.id: must be a valid string"),
        ("gateway.id", "", "gateway.id: string must have at least 1 character"),
        ("gateway.id", "gw\n1", "gateway.id: must not hold control characters"),
        ("gateway.id", "gw\u2028", "gateway.id: must not hold control characters"),
        ("backends", [], "backends: must not be empty"),
        ("backends", {"weu": {}}, "backends: must be a list"),
        ("backends", ["weu"], "backends[0]: must be a mapping"),
        ("backends.0.deployments", {}, "backends[0].deployments: must not be empty"),
        ("backends.0.url", "https://u:p@weu.example", "backends[0].url: must be an http"),
        ("backends.0.auth", SECRET, "backends[0].auth: must be managed_identity, or env:"),
        ("backends.0.deployments.mini.scope", "local", "must be 'regional', 'data_zone' or"),
        ("tenants.0.priority", "urgent", "tenants[0].priority: must be 'high' or 'low'"),
        ("tenants.0.budget", {"amount": "5", "currency": "€"}, "must be an ISO 4217 code"),
        ("unknown_billing_code", "ignore", "unknown_billing_code: must be 'suspense' or"),
        ("a\x1b[31m", 1, "a?[31m: unknown key"),
    ],
)
def test_a_wrong_value_is_told(place: str, value: Any, problem: str) -> None:
    (told,) = problems(changed(place, value))
    assert problem in told


@pytest.mark.parametrize("raw", [None, [], "text", 3])
def test_a_file_that_is_no_mapping_is_told(raw: object) -> None:
    assert problems(raw) == ["the file: must be a mapping of keys to values"]


@pytest.mark.parametrize("amount", ["500.00", 500, "0", "0.000001"])
def test_an_amount_is_exact(amount: object) -> None:
    raw = changed("tenants.0.budget", {"amount": amount, "currency": "USD"})
    budget = check_settings(raw).tenants[0].budget
    assert budget is not None
    assert budget.amount == Decimal(str(amount))


@pytest.mark.parametrize("amount", [500.1, 1e3, True, "-1", "1e3", "NaN", "1,50", "", None, -2])
def test_an_amount_is_never_a_float_or_a_guess(amount: object) -> None:
    raw = changed("tenants.0.budget", {"amount": amount, "currency": "USD"})
    (told,) = problems(raw)
    assert told.startswith("tenants[0].budget.amount: must be a whole number, or a decimal number")


@pytest.mark.parametrize("place", ["tenants.0.keys", "gateway.trusted_callers"])
def test_no_message_holds_a_secret(place: str) -> None:
    for value in (SECRET, [SECRET, SECRET], {SECRET: 1}, [[SECRET]]):
        assert SECRET not in "".join(problems(changed(place, value)))


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"t\.yaml: cannot be read: No such file"):
        load_settings(tmp_path / "t.yaml")


def test_a_key_that_stands_twice_is_told_beside_the_other_problems(tmp_path: Path) -> None:
    file = tmp_path / "t.yaml"
    file.write_text("gateway: {id: a, id: b}\n")
    with pytest.raises(SettingsError) as caught:
        load_settings(file)
    assert caught.value.problems == [
        f"{file}: backends: is missing",
        f"{file}: line 1: the key 'id' stands twice",
    ]


def test_the_environment_is_read_and_empty_is_unset() -> None:
    environment = read_environment({"TOLLGATE_CONFIG": "t.yaml", "TOLLGATE_REDIS_URL": ""})
    assert environment.config == Path("t.yaml")
    unset = environment.model_dump(exclude={"config"})
    assert {*unset.values()} == {None}
    assert Path("data/journal") == DEFAULT_JOURNAL


def test_the_environment_names_everything_outside() -> None:
    environment = read_environment(
        {
            "TOLLGATE_REDIS_URL": "redis://r",
            "TOLLGATE_ARCHIVE": "a",
            "TOLLGATE_JOURNAL": "j",
            "EVENTGRID_TOPIC_ENDPOINT": "https://t",
            "EVENTGRID_TOPIC_KEY": "k",
            "EVENTHUB_CONNECTION": "c",
            "EVENTHUB_CONNECTION__fullyQualifiedNamespace": "n",
            "EVENTHUB_NAME": "h",
            "TOLLGATE_WEBHOOK_KEY": "new,old,",
            "LOG_ANALYTICS_WORKSPACE_ID": "w",
        }
    )
    assert environment.redis_url == "redis://r"
    assert (environment.archive, environment.journal) == (Path("a"), Path("j"))
    assert environment.eventgrid_topic_endpoint == "https://t"
    assert environment.eventgrid_topic_key == "k"
    assert environment.log_analytics_workspace_id == "w"
    assert (environment.eventhub_connection, environment.eventhub_namespace) == ("c", "n")
    assert environment.eventhub_name == "h"
    assert environment.webhook_keys == ("new", "old")


@pytest.mark.parametrize("value", ["", ",", ",,"])
def test_a_webhook_key_is_never_empty(value: str) -> None:
    assert read_environment({"TOLLGATE_WEBHOOK_KEY": value}).webhook_keys is None


def test_a_secret_is_what_its_variable_holds() -> None:
    assert resolve_secret("env:WEU_KEY", {"WEU_KEY": SECRET}) == SECRET
    for environ in ({}, {"WEU_KEY": ""}):
        with pytest.raises(SettingsError, match="WEU_KEY is not set"):
            resolve_secret("env:WEU_KEY", environ)


def test_what_is_not_enforced_yet_is_said() -> None:
    assert not_enforced(load_settings(SAMPLE)) == [
        f"tenants: {part} of 'contoso' is read, but not enforced yet"
        for part in (
            "limits.tokens_per_minute",
            "limits.requests_per_minute",
            "limits.tokens_per_month",
            "budget",
        )
    ]


def test_a_part_can_only_be_kept_of_a_known_capacity() -> None:
    mini = "backends.0.deployments.mini"
    settings = changed(f"{mini}.kept_for_high", {"tokens": 1, "requests": 1})
    with pytest.raises(SettingsError, match=r"kept_for_high\.tokens needs tokens_per_minute"):
        check_settings(settings)
    settings["backends"][0]["deployments"]["mini"]["tokens_per_minute"] = 1
    with pytest.raises(SettingsError, match=r"kept_for_high\.requests needs requests_per_10s"):
        check_settings(settings)
    settings["backends"][0]["deployments"]["mini"]["requests_per_10s"] = 1
    check_settings(settings)


def test_apis_of_no_gateway_are_told() -> None:
    with pytest.raises(SettingsError, match=r"backfill: .*apis needs gateway beside it"):
        check_settings(changed("backfill", {"apis": ["openai"]}))
    check_settings(changed("backfill", {"gateway": "gw-apim", "apis": ["openai"]}))


@pytest.mark.parametrize("api", ["", "a b", 'a"', "a\n", "a);drop", "x" * 129])
def test_an_api_is_named_by_what_can_stand_in_a_query(api: str) -> None:
    with pytest.raises(SettingsError, match=r"backfill\.apis.*: must be an id"):
        check_settings(changed("backfill", {"gateway": "gw-apim", "apis": [api]}))
