from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from builders import NOON, event

from tollgate.events.backfill import UNALLOCATED, Deployed, Direct, completion_of, missing_event
from tollgate.events.gateway_log import LoggedCall
from tollgate.usage.event import UsageEvent, decode_event, encode_event
from tollgate.usage.tokens import MAX_COUNT, Tokens

DIRECT = Direct(
    gateway="gw-apim",
    apis=("openai",),
    tenants={"sub-42": "contoso"},
    deployments={
        "mini": Deployed(
            model="gpt-4o-mini",
            version="2024-07-18",
            deployment_type="standard",
            scope="global",
        )
    },
)


def call(**changes: Any) -> LoggedCall:
    logged = LoggedCall(
        id="req-1",
        time=NOON + timedelta(seconds=9),
        prompt_tokens=700,
        completion_tokens=70,
        total_tokens=770,
        model="gpt-4o-mini-of-the-log",
        deployment="mini",
        streamed=True,
        subscription="sub-42",
        backend="aoai",
        status=200,
        operation="ChatCompletions_Create",
    )
    return msgspec.structs.replace(logged, **changes)


def pending(**changes: Any) -> UsageEvent:
    waiting: dict[str, Any] = {"provenance": "pending", "tokens": None, **changes}
    return event("req-1", NOON, **waiting)


def made(found: UsageEvent | None) -> UsageEvent:
    assert found is not None
    return decode_event(encode_event(found)).event  # as the intake reads it


def test_a_completion_keeps_time_payer_and_model_and_has_the_logs_counts() -> None:
    waiting = pending()
    completed = made(completion_of(waiting, call()))
    assert (completed.id, completed.time, completed.subject) == (
        "req-1",
        waiting.time,
        waiting.subject,
    )
    assert completed.data == msgspec.structs.replace(
        waiting.data,
        provenance="backfilled",
        completes=True,
        tokens=Tokens(input=700, output=70, cached_input=None, reasoning_output=None),
    )


def test_the_log_fills_in_what_the_event_does_not_say() -> None:
    waiting = pending(model=None, deployment=None, backend=None)
    data = made(completion_of(waiting, call())).data
    assert (data.model, data.deployment, data.backend) == ("gpt-4o-mini-of-the-log", "mini", "aoai")


@pytest.mark.parametrize(
    "counts",
    [
        {"prompt_tokens": None},
        {"completion_tokens": None},
        {"completion_tokens": None, "total_tokens": None},
        {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
        {"prompt_tokens": -1},
        {"completion_tokens": -1},
        {"prompt_tokens": MAX_COUNT + 1},
        {"completion_tokens": MAX_COUNT + 1},
    ],
)
def test_what_is_no_count_completes_nothing(counts: dict[str, Any]) -> None:
    assert completion_of(pending(), call(**counts)) is None


def test_an_answer_without_output_is_one_where_the_total_says_so() -> None:
    completed = made(completion_of(pending(), call(completion_tokens=None, total_tokens=700)))
    assert completed.data.tokens == Tokens(
        input=700, output=0, cached_input=None, reasoning_output=None
    )


def test_embeddings_have_no_output_and_nothing_cached() -> None:
    waiting = pending(api="embeddings")
    completed = made(completion_of(waiting, call(completion_tokens=None, total_tokens=None)))
    assert completed.data.tokens == Tokens(input=700, output=0)


def test_an_event_for_a_call_without_one_says_what_log_and_settings_know() -> None:
    found = made(missing_event(call(), DIRECT))
    assert (found.id, found.time, found.source) == (
        "req-1",
        NOON + timedelta(seconds=9),
        "/gateways/gw-apim",
    )
    data = found.data
    assert (data.gateway, data.tenant, data.subscription) == ("gw-apim", "contoso", "sub-42")
    assert (data.billing_code, data.user) == (None, None)
    assert (data.api, data.deployment, data.model, data.model_version) == (
        "chat.completions",
        "mini",
        "gpt-4o-mini",
        "2024-07-18",
    )
    assert (data.deployment_type, data.scope, data.backend) == ("standard", "global", "aoai")
    assert (data.streamed, data.status) == (True, 200)
    assert (data.provenance, data.completes) == ("backfilled", True)
    assert data.tokens == Tokens(input=700, output=70, cached_input=None, reasoning_output=None)


def test_who_is_not_known_is_unallocated_and_what_is_not_known_is_null() -> None:
    found = made(missing_event(call(subscription="", deployment="other", operation=None), DIRECT))
    assert (found.data.tenant, found.data.subscription) == (UNALLOCATED, None)
    assert (found.data.model, found.data.deployment_type, found.data.api) == (
        "gpt-4o-mini-of-the-log",
        None,
        "other",
    )


@pytest.mark.parametrize(
    ("operation", "api"),
    [
        ("ChatCompletions_Create", "chat.completions"),
        ("Completions_Create", "completions"),
        ("embeddings_create", "embeddings"),
        ("createResponse", "responses"),
        ("", "other"),
    ],
)
def test_the_operation_says_which_api_it_was(operation: str, api: str) -> None:
    assert made(missing_event(call(operation=operation), DIRECT)).data.api == api


@pytest.mark.parametrize("status", [200, 400, 408, 499, 500, None])
def test_a_call_that_may_have_cost_and_has_no_counts_is_unknown(status: int | None) -> None:
    data = made(missing_event(call(prompt_tokens=None, status=status), DIRECT)).data
    assert (data.provenance, data.tokens, data.completes) == ("unknown", None, False)


@pytest.mark.parametrize("status", [401, 404, 429, 503])
def test_a_call_that_used_nothing_needs_no_event(status: int) -> None:
    assert missing_event(call(prompt_tokens=None, status=status), DIRECT) is None


@pytest.mark.parametrize("name", ["a\nb", "x" * 257, "\u2028"])
def test_a_name_that_no_event_can_bear_is_left_out(name: str) -> None:
    found = made(missing_event(call(deployment=name, backend=name, model=name), DIRECT))
    assert (found.data.deployment, found.data.backend, found.data.model) == (None, None, None)


def test_the_same_call_always_makes_the_same_event() -> None:
    assert encode_event(made(completion_of(pending(), call()))) == encode_event(
        made(completion_of(pending(), call()))
    )
