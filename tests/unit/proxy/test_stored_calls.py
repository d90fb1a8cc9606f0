from __future__ import annotations

import asyncio
from typing import Any

import pytest
from builders import NOON
from gateways import ask, gateway, response_memory
from proxying import (
    OTHER_KEY,
    FakeAnswer,
    FakeClock,
    FakeUpstream,
    RecordingSink,
    error_of,
    read_all,
    request,
    sse,
    stream,
)
from stored import RESPONSE, FlakyResponses, body, stored, waiting

from tollgate.proxy.breaker import BreakerRules, Breakers, Failure
from tollgate.proxy.messages import Answer
from tollgate.proxy.pending_poll import ResponseGone
from tollgate.proxy.ports import BackendFailed
from tollgate.proxy.stored_responses import StoredResponse

PATH = f"/v1/responses/{RESPONSE}"


class Served:
    """A gateway that knows one response of contoso's, at its second backend."""

    def __init__(
        self,
        *script: FakeAnswer | BaseException,
        known: StoredResponse | None = None,
        breakers: Breakers | None = None,
    ) -> None:
        self.known = known or waiting(backend="neu-1")
        self.upstream, self.sink, self.store = (
            FakeUpstream(*script),
            RecordingSink(),
            FlakyResponses(),
        )
        memory = response_memory(self.sink, FakeClock().clock, self.store)
        self.gateway = gateway(self.upstream, self.sink, memory=memory, breakers=breakers)

    async def answer(self, path: str = PATH, method: str = "GET", **changes: Any) -> Answer:
        await self.store.keep(self.known)
        made = request(**{"path": path, "method": method, "query": "", "body": b"", **changes})
        return await ask(self.gateway, made)


@pytest.mark.parametrize(
    ("method", "tail", "api"),
    [
        ("GET", "", "responses.retrieve"),
        ("GET", "/input_items", "responses.input_items"),
        ("POST", "/cancel", "responses.cancel"),
        ("DELETE", "", "responses.delete"),
    ],
)
async def test_it_asks_the_backend_that_holds_it(method: str, tail: str, api: str) -> None:
    served = Served(FakeAnswer(body("in_progress")), known=stored(backend="neu-1"))
    answer = await served.answer(PATH + tail, method, query="limit=2&billingCode=CC-1001")
    (sent,) = served.upstream.sent
    assert (answer.status, answer.body) == (200, body("in_progress"))
    assert (sent.method, sent.url) == (
        method,
        f"https://neu-1.example/openai/v1/responses/{RESPONSE}{tail}?limit=2",
    )
    data = served.sink.only.data
    assert (data.api, data.provenance, data.backend) == (api, "none", "neu-1")


async def test_the_first_who_sees_the_end_completes_it_and_the_next_does_not() -> None:
    served = Served(FakeAnswer(body()), FakeAnswer(body()))
    await served.answer()
    completion, reading = served.sink.events
    assert (completion.data.completes, completion.data.provenance) == (True, "measured")
    assert (reading.data.completes, reading.data.provenance) == (False, "none")
    await ask(served.gateway, request(path=PATH, method="GET", query="", body=b""))
    assert len(served.sink.events) == 3


async def test_the_end_of_a_stream_completes_it_too() -> None:
    end = b'{"type":"response.completed","response":' + body() + b"}"
    served = Served(stream(sse(end.decode())))
    answer = await served.answer(query="stream=true")
    assert await read_all(answer)
    await served.gateway.background.finish()
    assert sorted(each.data.completes for each in served.sink.events) == [False, True]


async def test_another_tenants_response_is_not_found_and_nobody_is_asked() -> None:
    served = Served()
    answer = await served.answer(headers=(("api-key", OTHER_KEY),))
    assert (answer.status, error_of(answer)["code"]) == (404, "not_found")
    assert served.upstream.sent == []


async def test_a_backend_that_is_no_more_in_the_settings_is_not_found() -> None:
    served = Served(known=stored(backend="gone-1"))
    assert (await served.answer()).status == 404


async def test_another_backend_is_not_asked_in_its_place() -> None:
    served = Served(BackendFailed("no", may_have_cost=False))
    answer = await served.answer()
    assert (answer.status, len(served.upstream.sent)) == (503, 1)
    assert served.sink.only.data.attempts == 1


async def test_a_deployment_without_room_keeps_nobody_from_reading() -> None:
    """What is stored takes nothing of the capacity that a deployment is short of."""
    breakers = Breakers(BreakerRules())
    served = Served(FakeAnswer(body("in_progress")), breakers=breakers)
    breakers.failed(("neu-1", "mini"), 1000, Failure(throttled=True, retry_after_s=60))
    assert (await served.answer()).status == 200
    assert breakers.is_throttled(("neu-1", "mini"), 1000)


async def test_who_reads_too_often_keeps_nobody_from_a_deployment() -> None:
    breakers = Breakers(BreakerRules())
    often = FakeAnswer(b"{}", status=429, headers=(("retry-after", "9"),))
    answer = await Served(often, breakers=breakers).answer()
    assert (answer.status, dict(answer.headers)["retry-after"]) == (429, "9")
    assert breakers.wait_s(("neu-1", "mini"), 1000) == 0


async def test_a_deleted_response_is_forgotten() -> None:
    served = Served(FakeAnswer(b'{"deleted":true}'), known=stored())
    await served.answer(method="DELETE")
    assert await served.store.find(RESPONSE, "contoso") is None


async def test_a_response_that_could_not_be_deleted_is_still_known() -> None:
    served = Served(FakeAnswer(b'{"error":{}}', status=400), known=stored())
    await served.answer(method="DELETE")
    assert await served.store.find(RESPONSE, "contoso")


DELETED = b'{"deleted":true}'


async def test_the_end_of_a_response_is_looked_at_before_it_is_deleted() -> None:
    served = Served(FakeAnswer(body()), FakeAnswer(DELETED))
    answer = await served.answer(method="DELETE", query="billingCode=CC-1001")
    assert (answer.status, answer.body) == (200, DELETED)
    assert [sent.method for sent in served.upstream.sent] == ["GET", "DELETE"]
    completion, deletion = served.sink.events
    assert (completion.data.completes, completion.data.provenance) == (True, "measured")
    assert (deletion.data.api, deletion.data.provenance) == ("responses.delete", "none")
    assert await served.store.find(RESPONSE, "contoso") is None


@pytest.mark.parametrize(
    "seen",
    [
        FakeAnswer(body("in_progress", usage=None)),
        FakeAnswer(body("cancelled", usage=None)),
        FakeAnswer(b"{}", status=404),
        BackendFailed("no"),
        BackendFailed("no", status=500, may_have_cost=True),
    ],
)
async def test_a_response_without_an_end_is_deleted_and_followed_on(seen: Any) -> None:
    served = Served(seen, FakeAnswer(DELETED))
    assert (await served.answer(method="DELETE")).body == DELETED
    assert [event.data.api for event in served.sink.events] == ["responses.delete"]
    assert [each.response_id for each in await served.store.pending(NOON, 9)] == [RESPONSE]


async def test_a_look_that_takes_long_does_not_keep_a_deletion_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tollgate.proxy.stored_calls._LOOK_S", 0.01)
    hangs = FakeAnswer(asyncio.Event())
    served = Served(hangs, FakeAnswer(DELETED))
    assert (await served.answer(method="DELETE")).body == DELETED
    assert hangs.closed


async def test_a_response_that_could_not_be_deleted_is_looked_at_all_the_same() -> None:
    served = Served(FakeAnswer(body()), FakeAnswer(b'{"error":{}}', status=400))
    await served.answer(method="DELETE")
    assert [event.data.completes for event in served.sink.events] == [True, False]
    assert await served.store.find(RESPONSE, "contoso")


async def test_the_poll_has_the_answer_and_no_event() -> None:
    served = Served(FakeAnswer(body()))
    assert await served.gateway.stored_calls.poll(waiting()) == body()
    assert served.sink.events == []


async def test_the_poll_tells_what_is_gone_from_what_cannot_be_had_now() -> None:
    with pytest.raises(ResponseGone):
        await Served(FakeAnswer(b"{}", status=404)).gateway.stored_calls.poll(waiting())
    throttled = FakeAnswer(b"{}", status=429)
    assert await Served(throttled).gateway.stored_calls.poll(waiting()) is None
    assert await Served().gateway.stored_calls.poll(waiting(backend="gone-1")) is None
