from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest
from gateways import ask, gateway, response_memory
from proxying import (
    OTHER_KEY,
    FakeAnswer,
    FakeClock,
    FakeUpstream,
    RecordingSink,
    completion,
    error_of,
    read_all,
    request,
    sse,
    stream,
)
from stored import RESPONSE, FlakyResponses, body, stored

from tollgate.proxy.messages import Answer, Request
from tollgate.proxy.stored_responses import StoredResponse

CHAT, RESPONSES = "/v1/chat/completions", "/v1/responses"


class SlowResponses(FlakyResponses):
    """A store that keeps nothing before it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.gate = asyncio.Event(), asyncio.Event()

    async def keep(self, response: StoredResponse) -> None:
        self.asked.set()
        await self.gate.wait()
        await super().keep(response)


class Served:
    """A gateway, its upstream, its events, and the responses that it knows."""

    def __init__(
        self, *script: FakeAnswer | BaseException, store: FlakyResponses | None = None
    ) -> None:
        self.upstream, self.sink = FakeUpstream(*script), RecordingSink()
        self.store = store or FlakyResponses()
        memory = response_memory(self.sink, FakeClock().clock, self.store)
        self.gateway = gateway(self.upstream, self.sink, memory=memory)

    async def answer(self, path: str = RESPONSES, key: str | None = None, **members: Any) -> Answer:
        return await ask(self.gateway, asking(path, key, **members))


def asking(path: str, key: str | None = None, **members: Any) -> Request:
    content = msgspec.json.encode({"model": "gpt-4o-mini", **members})
    changes: dict[str, Any] = {"headers": (("api-key", key),)} if key else {}
    return request(path=path, query="", body=content, **changes)


async def test_a_stored_answer_is_remembered_with_its_backend() -> None:
    served = Served(FakeAnswer(body()))
    await served.answer(input="Hi")
    found = await served.store.find(RESPONSE, "contoso")
    assert found
    assert (found.backend, found.alias, found.pending) == ("weu-1", "gpt-4o-mini", None)


@pytest.mark.parametrize(
    ("path", "members"), [(RESPONSES, {"store": False}), (CHAT, {"store": True})]
)
async def test_what_is_not_stored_is_not_remembered(path: str, members: dict[str, Any]) -> None:
    served = Served(FakeAnswer(completion(id=RESPONSE)))
    await served.answer(path, **members)
    assert await served.store.find(RESPONSE, "contoso") is None


async def test_a_background_answer_is_remembered_with_its_pending_event() -> None:
    served = Served(FakeAnswer(body("queued", usage=None)))
    await served.answer(input="Hi", background=True)
    found = await served.store.find(RESPONSE, "contoso")
    assert found
    assert found.pending
    assert served.sink.only.data.provenance == "pending"


async def test_a_request_cut_short_leaves_no_pending_event_that_nobody_follows() -> None:
    store = SlowResponses()
    served = Served(FakeAnswer(body("queued", usage=None)), store=store)
    asked = asyncio.create_task(served.answer(input="Hi", background=True))
    await store.asked.wait()
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    store.gate.set()
    await served.gateway.background.finish()
    assert served.sink.only.data.provenance == "pending"
    assert await store.find(RESPONSE, "contoso")


async def test_a_streamed_response_is_remembered_before_its_end() -> None:
    created = {"type": "response.created", "response": {"id": RESPONSE, "status": "in_progress"}}
    delta = {"type": "response.output_text.delta", "delta": "Hi"}
    gate = asyncio.Event()
    served = Served(stream(sse(created), sse(delta), gate, b""))
    answer = await served.answer(input="Hi", stream=True)
    assert not isinstance(answer.body, bytes)
    await anext(aiter(answer.body))
    gate.set()
    await read_all(answer)
    await served.gateway.background.finish()
    assert await served.store.find(RESPONSE, "contoso")


async def test_it_goes_on_where_the_previous_response_is_and_nowhere_else() -> None:
    served = Served(FakeAnswer(b"{}", status=429), FakeAnswer(body()))
    await served.store.keep(stored(backend="neu-1"))
    answer = await served.answer(input="On", previous_response_id=RESPONSE)
    assert (answer.status, len(served.upstream.sent)) == (429, 1)
    assert served.upstream.sent[0].url.startswith("https://neu-1.example")


async def test_a_deployment_that_is_not_where_the_previous_response_is_is_told_so() -> None:
    served = Served()
    await served.store.keep(stored(backend="gone"))
    answer = await served.answer(input="On", previous_response_id=RESPONSE)
    assert (answer.status, served.upstream.sent) == (404, [])
    assert "previous response does not serve" in error_of(answer)["message"]


async def test_another_tenants_previous_response_is_refused_unasked() -> None:
    served = Served()
    await served.store.keep(stored())
    answer = await served.answer(key=OTHER_KEY, input="On", previous_response_id=RESPONSE)
    assert (answer.status, error_of(answer)["code"]) == (400, "previous_response_not_found")
    assert served.upstream.sent == []


async def test_a_deployment_that_nobody_has_is_not_found() -> None:
    answer = await Served().answer(CHAT, model="gpt-9")
    assert (answer.status, error_of(answer)["code"]) == (404, "DeploymentNotFound")


async def test_what_an_attempt_may_have_cost_is_an_event_of_its_own() -> None:
    served = Served(FakeAnswer(b"{}", status=500), FakeAnswer(completion()))
    await served.answer(CHAT)
    attempt, final = served.sink.events
    assert (attempt.id, attempt.data.delivered) == ("req-1.a1", False)
    assert (attempt.data.provenance, attempt.data.tokens) == ("unknown", None)
    assert (final.id, final.data.attempts, final.data.provenance) == ("req-1", 2, "measured")


async def test_an_attempt_that_cost_nothing_for_certain_leaves_no_event() -> None:
    served = Served(FakeAnswer(b"{}", status=429), FakeAnswer(completion()))
    await served.answer(CHAT)
    assert served.sink.only.data.attempts == 2
