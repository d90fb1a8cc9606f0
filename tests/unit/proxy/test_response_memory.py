from __future__ import annotations

import msgspec
import pytest
from builders import event
from gateways import response_memory
from proxying import FakeClock, RecordingSink, route, target
from stored import RESPONSE, FlakyResponses, measured, waiting

from tollgate.proxy.prompts import read_prompt
from tollgate.proxy.refusals import Refusal
from tollgate.proxy.response_memory import ResponseMemory
from tollgate.proxy.upstream_requests import Plan, plan_of

OF_RESPONSES = route("/v1/responses")


class Remembering:
    """A memory, its store and its events."""

    def __init__(self) -> None:
        self.store, self.sink = FlakyResponses(), RecordingSink()
        self.memory: ResponseMemory = response_memory(self.sink, FakeClock().clock, self.store)


def plan() -> Plan:
    prompt = read_prompt(OF_RESPONSES, None, msgspec.json.encode({"model": "mini", "input": "x"}))
    return plan_of(OF_RESPONSES, "mini", prompt, query="api-version=preview", headers={})


async def test_what_a_tenant_created_is_known_to_it_with_its_backend() -> None:
    made = Remembering()
    await made.memory.created("contoso", plan(), target("neu-1"), RESPONSE, None)
    found = await made.memory.known("contoso", RESPONSE)
    assert (found.backend, found.alias, found.surface) == ("neu-1", "mini", "v1")
    assert (found.query, found.pending) == ("api-version=preview", None)
    assert await made.memory.previous("contoso", RESPONSE) == found


async def test_what_another_tenant_created_is_as_unknown_as_what_nobody_did() -> None:
    made = Remembering()
    await made.memory.created("contoso", plan(), target(), RESPONSE, None)
    for tenant, response_id in (("fabrikam", RESPONSE), ("contoso", "resp_9")):
        with pytest.raises(Refusal) as unknown:
            await made.memory.known(tenant, response_id)
        assert (unknown.value.status, unknown.value.code) == (404, "not_found")
        with pytest.raises(Refusal) as previous:
            await made.memory.previous(tenant, response_id)
        assert (previous.value.status, previous.value.code) == (400, "previous_response_not_found")


async def test_while_the_store_is_away_nobody_is_told_that_nothing_is_there() -> None:
    made = Remembering()
    made.store.is_away = True
    with pytest.raises(Refusal) as refused:
        await made.memory.known("contoso", RESPONSE)
    assert (refused.value.status, refused.value.code) == (503, "stored_state_unavailable")
    assert refused.value.retry_after_s


async def test_the_end_of_a_pending_response_completes_its_event() -> None:
    made = Remembering()
    pending = event(provenance="pending", tokens=None, api="responses", response_id=RESPONSE)
    await made.memory.created("contoso", plan(), target(), RESPONSE, pending)
    found = await made.memory.known("contoso", RESPONSE)
    await made.memory.saw(found, measured("in_progress"))
    assert made.sink.events == []
    await made.memory.saw(found, measured())
    assert (made.sink.only.id, made.sink.only.data.completes) == (pending.id, True)
    assert (await made.memory.known("contoso", RESPONSE)).pending is None


async def test_a_deleted_response_is_forgotten_unless_its_usage_is_awaited() -> None:
    made = Remembering()
    await made.memory.created("contoso", plan(), target(), RESPONSE, None)
    await made.memory.deleted(await made.memory.known("contoso", RESPONSE))
    with pytest.raises(Refusal):
        await made.memory.known("contoso", RESPONSE)
    await made.store.keep(waiting())
    await made.memory.deleted(waiting())
    assert (await made.memory.known("contoso", RESPONSE)).pending
