"""Whether what was published is what clients got and what regions billed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from load.calls import Told
from load.topic import BookingTopic

from tollgate.local.simulator.request_log import LogEntry
from tollgate.usage.event import UsageData

_COUNTED: Final = frozenset({"measured", "injected"})


def assert_each_answer_has_its_event(told: Iterable[Told], topic: BookingTopic) -> None:
    """Every complete and undisturbed answer has one event, with the tokens that it states."""
    missing: list[Told] = []
    wrong: list[tuple[Told, UsageData]] = []
    for each in told:
        if not each.complete or each.broken or each.request_id is None:
            continue
        event = topic.events.get(each.request_id)
        if event is None:
            missing.append(each)
        elif not _agree(each, event):
            wrong.append((each, event))
    assert not missing, (len(missing), missing[:5])
    assert not wrong, (len(wrong), wrong[:5])


def assert_nothing_is_made_up(told: Sequence[Told], topic: BookingTopic) -> None:
    """No id has two bodies, and no event is without a request."""
    assert not topic.contradictions, topic.contradictions[:5]
    known = {each.request_id for each in told}
    unheard = sum(each.request_id is None for each in told)
    strange = [key for key in topic.requests if key not in known]
    assert len(strange) <= unheard, strange[unheard:][:5]


def assert_the_ledger_counts_once(topic: BookingTopic) -> None:
    """All deliveries together are booked as the different events are, once each."""
    published = (len(topic.events), topic.tokens())
    assert topic.booked() == published, (topic.booked(), published)
    kept = [topic.ledger.kept_aside(tenant) for tenant in topic.ledger.tenants()]
    assert sum(each.conflicts + each.late for each in kept) == 0


def assert_billed_as_published(
    logs: Iterable[LogEntry], told: Iterable[Told], topic: BookingTopic
) -> int:
    """The tokens of delivered whole answers are those of the regions' logs.

    Returns:
        How many tokens that are.
    """
    logged = list(logs)
    by_response = {entry.response_id: entry.usage for entry in logged if entry.response_id}
    total = 0
    for each in told:
        if not each.complete or each.broken or each.status != 200 or each.request_id is None:
            continue
        tokens = topic.events[each.request_id].tokens
        assert tokens is not None
        total += tokens.input + tokens.output
        if each.kind != "embeddings":
            usage = by_response.get(each.response_id or "")
            assert usage is not None, each
            assert (tokens.input, tokens.output) == _sums(usage), (each, usage)
    embedded = _sum(entry for entry in logged if _is_embedding(entry))
    assert _embedded(topic) == embedded, (_embedded(topic), embedded)
    return total


def _agree(told: Told, event: UsageData) -> bool:
    if told.status != event.status:
        return False
    if told.status != 200:
        return True
    if event.provenance not in _COUNTED or event.tokens is None:
        return False
    counted = (event.tokens.input, event.tokens.output)
    return told.tokens is None or told.tokens == counted


def _sums(usage: Mapping[str, Any]) -> tuple[int, int]:
    given = usage.get("prompt_tokens", usage.get("input_tokens", 0))
    made = usage.get("completion_tokens", usage.get("output_tokens", 0))
    return given, made


def _is_embedding(entry: LogEntry) -> bool:
    return entry.operation == "embeddings" and entry.outcome == "answered"


def _sum(entries: Iterable[LogEntry]) -> int:
    return sum(sum(_sums(entry.usage)) for entry in entries if entry.usage)


def _embedded(topic: BookingTopic) -> int:
    found = [data.tokens for data in topic.requests.values() if data.api == "embeddings"]
    return sum(tokens.input for tokens in found if tokens is not None)
