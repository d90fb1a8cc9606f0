from __future__ import annotations

from datetime import timedelta
from errno import ENOSPC
from typing import Any

import pytest
from builders import NOON
from proxying import FakeClock, RecordingSink, target

from tollgate.proxy.metering import Call, Meter, Outcome
from tollgate.usage.event import UsageData, UsageEvent
from tollgate.usage.extraction import Measurement
from tollgate.usage.tokens import NO_TOKENS, Tokens


class Metered:
    """A call that is metered."""

    def __init__(self) -> None:
        self.sink, self.time = RecordingSink(), FakeClock()
        self.call = Call(Meter("gw-weu", self.sink, self.time.clock), "req-1")

    def data(self, measurement: Measurement | None = None, **deployment: Any) -> UsageData:
        self.call.record(
            Outcome(
                provenance="measured",
                tokens=Tokens(input=10, output=5),
                status=200,
                target=target(**deployment),
                measurement=measurement or Measurement(),
            )
        )
        return self.sink.only.data


@pytest.mark.parametrize(
    ("answered", "model", "version"),
    [
        (None, "gpt-4o-mini", "2024-07-18"),
        ("gpt-4o-mini", "gpt-4o-mini", "2024-07-18"),
        ("gpt-4o-mini-2024-07-18", "gpt-4o-mini", "2024-07-18"),
        ("gpt-4o-2024-11-20", "gpt-4o", "2024-11-20"),
        ("text-embedding-3-small", "text-embedding-3-small", None),
        ("gpt-4o\n", "gpt-4o?", None),
    ],
)
def test_the_model_is_the_one_that_answered(
    answered: str | None, model: str, version: str | None
) -> None:
    data = Metered().data(Measurement(model=answered))
    assert (data.model, data.model_version) == (model, version)


def test_the_event_says_what_served() -> None:
    data = Metered().data(
        Measurement(service_tier="priority", response_id="resp_1"), deployment_type="provisioned"
    )
    assert (data.backend, data.region, data.deployment) == ("weu-1", "westeurope", "mini")
    assert (data.deployment_type, data.scope) == ("provisioned", "regional")
    assert (data.service_tier, data.response_id) == ("priority", "resp_1")


def test_the_event_says_when_and_how_long() -> None:
    metered = Metered()
    metered.time.s += 0.125
    metered.call.saw_content()
    metered.time.s += 0.75
    metered.call.saw_content()
    data = metered.data()
    assert (data.first_token_ms, data.latency_ms) == (125, 875)
    assert metered.sink.only.time == NOON + timedelta(milliseconds=875)


def test_a_request_has_one_event() -> None:
    metered = Metered()
    metered.call.refused(404)
    metered.call.refused(500)
    assert metered.sink.only.data.status == 404


def test_a_refused_request_used_nothing() -> None:
    metered = Metered()
    metered.call.refused(429, attempts=3)
    data = metered.sink.only.data
    assert (data.provenance, data.tokens, data.attempts) == ("none", NO_TOKENS, 3)
    assert (data.tenant, data.billing_code, data.api) == ("unallocated", None, "unknown")


def test_a_request_that_begins_is_unknown_until_it_ends() -> None:
    metered = Metered()
    metered.call.begin()
    (begun,) = metered.sink.begun
    assert (begun.id, begun.data.provenance, begun.data.tokens) == ("req-1", "unknown", None)
    assert metered.sink.events == []


@pytest.mark.parametrize(("sent", "provenance"), [(False, "none"), (True, "unknown")])
def test_who_leaves_used_nothing_unless_the_request_was_sent_on(
    sent: bool,  # noqa: FBT001  a case
    provenance: str,
) -> None:
    metered = Metered()
    if sent:
        metered.call.begin()
    metered.call.left()
    data = metered.sink.only.data
    assert (data.provenance, data.tokens) == (provenance, None if sent else NO_TOKENS)
    assert data.cancelled


class FullDisk(RecordingSink):
    """Cannot write."""

    def record(self, event: UsageEvent) -> None:
        raise OSError(ENOSPC, f"no space for {event.id}")


def test_an_event_that_cannot_be_written_is_logged_and_takes_no_answer_with_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    call = Call(Meter("gw-weu", FullDisk(), FakeClock().clock), "req-1")
    call.record_attempt(1, Outcome(provenance="unknown", tokens=None, status=None))
    call.refused(404)
    said = [record.getMessage() for record in caplog.records]
    assert said == [
        f"event {name} could not be recorded: no space for {name}" for name in ("req-1.a1", "req-1")
    ]


def test_an_attempt_has_an_event_of_its_own() -> None:
    metered = Metered()
    outcome = Outcome(provenance="unknown", tokens=None, status=None, target=target("neu-1"))
    metered.call.record_attempt(2, outcome)
    event = metered.sink.only
    assert (event.id, event.data.delivered, event.data.backend) == ("req-1.a2", False, "neu-1")


@pytest.mark.parametrize(
    ("alias", "deployment"), [(None, None), ("", None), ("a\x00b", "a?b"), ("x" * 300, "x" * 256)]
)
def test_an_alias_is_noted_as_a_name_that_an_event_may_hold(
    alias: str | None, deployment: str | None
) -> None:
    metered = Metered()
    metered.call.alias = alias
    metered.call.refused(404)
    assert metered.sink.only.data.deployment == deployment
