from __future__ import annotations

from typing import Any

import pytest
from builders import NOON
from gateways import ask, gateway
from proxying import (
    BACKEND_KEY,
    KEY,
    TRUSTED_KEY,
    FakeAnswer,
    FakeClock,
    FakeUpstream,
    RecordingSink,
    backend,
    chat,
    completion,
    error_of,
    hashed,
    read_all,
    request,
    stream,
    usage,
)

from tollgate.proxy.breaker import BreakerRules
from tollgate.proxy.messages import Answer, Request
from tollgate.proxy.ports import BackendFailed
from tollgate.usage.event import UsageData, UsageEvent
from tollgate.usage.tokens import NO_TOKENS, Tokens

THROTTLED = FakeAnswer(status=429, headers=(("retry-after", "7"),))
CUT = BackendFailed("weu-1 broke off", may_have_cost=True)


PAYER = ("contoso", "CC-1001")


class Served:
    """One gateway, its upstream and its events."""

    def __init__(self, *script: FakeAnswer | BaseException, **options: Any) -> None:
        self.upstream, self.sink = FakeUpstream(*script), RecordingSink()
        self._gateway = gateway(self.upstream, self.sink, **options)

    async def answer(self, made: Request | None = None, **changes: Any) -> Answer:
        return await ask(self._gateway, made or request(**changes))

    @property
    def data(self) -> UsageData:
        return self.sink.only.data


async def test_an_answer_is_passed_on_and_measured() -> None:
    served = Served(FakeAnswer(completion()))
    answer = await served.answer()
    assert (answer.status, answer.body) == (200, completion())
    data = served.data
    assert (data.tenant, data.billing_code, data.user) == ("contoso", "CC-1001", "alice")
    assert (data.provenance, data.tokens) == ("measured", Tokens(input=10, output=5))
    assert (data.api, data.deployment, data.backend) == ("chat.completions", "mini", "weu-1")
    assert (data.attempts, data.status, data.streamed, data.priority) == (1, 200, False, "high")


async def test_the_event_bears_the_request_id_and_the_time_of_its_end() -> None:
    served = Served(FakeAnswer(completion()))
    answer = await served.answer()
    assert dict(answer.headers)["x-request-id"] == served.sink.only.id == "req-1"
    assert served.sink.only.time == NOON


async def test_a_request_that_goes_upstream_leaves_a_trace_first() -> None:
    served = Served(FakeAnswer(completion()))
    await served.answer()
    (begun,) = served.sink.begun
    assert (begun.id, begun.data.tenant, begun.data.deployment) == (
        "req-1",
        "contoso",
        "gpt-4o-mini",
    )


async def test_headers_of_the_connection_stay_behind() -> None:
    dropped = {"transfer-encoding": "chunked", "set-cookie": "a=b", "x-request-id": "theirs"}
    dropped |= {"x-tollgate-anything": "x", "location": "/x", "www-authenticate": "Bearer"}
    headers = (*dropped.items(), ("x-ms-region", "West Europe"))
    answer = await Served(FakeAnswer(b"{}", headers=headers)).answer()
    assert answer.headers == (
        ("x-ms-region", "West Europe"),
        ("x-tollgate-backend", "weu-1"),
        ("x-tollgate-attempts", "1"),
        ("x-request-id", "req-1"),
    )


async def test_a_backends_name_may_hold_any_character() -> None:
    served = Served(FakeAnswer(b"{}"), backends=(backend("東京 1"),))
    headers = dict((await served.answer()).headers)
    assert headers["x-tollgate-backend"] == "%E6%9D%B1%E4%BA%AC%201"


@pytest.mark.parametrize(
    ("changes", "status", "code", "payer"),
    [
        ({"headers": ()}, 401, "invalid_api_key", ("unallocated", None)),
        ({"query": "companyName=fabrikam"}, 403, "company_mismatch", ("contoso", None)),
        ({"query": "username=%00"}, 400, "invalid_billing_parameter", ("contoso", None)),
        ({"path": "/openai/v1/files"}, 404, "not_found", PAYER),
        ({"method": "GET"}, 405, "method_not_allowed", PAYER),
        ({"body": b"hello"}, 400, "invalid_json", PAYER),
        ({"body": None}, 413, "request_too_large", PAYER),
        ({"path": "/v1/responses"}, 400, "missing_model", PAYER),
        (
            {"path": "/openai/deployments/../chat/completions"},
            404,
            "DeploymentNotFound",
            PAYER,
        ),
        ({"body": chat(conversation="c")}, 400, "stored_state_not_served", PAYER),
        (
            {"body": chat(previous_response_id="resp_1")},
            400,
            "previous_response_not_found",
            PAYER,
        ),
        ({"headers": (("api-key", KEY), ("x-priority", "x"))}, 400, "invalid_priority", PAYER),
    ],
)
async def test_a_refused_request_goes_nowhere_and_has_an_event_of_nothing(
    changes: dict[str, Any], status: int, code: str, payer: tuple[str, str | None]
) -> None:
    served = Served()
    answer = await served.answer(**changes)
    assert (answer.status, error_of(answer)["code"]) == (status, code)
    data = served.data
    assert (data.tenant, data.billing_code) == payer
    assert (data.provenance, data.tokens, data.status) == ("none", NO_TOKENS, status)
    assert (served.upstream.sent, served.sink.begun) == ([], [])


async def test_nothing_of_the_client_but_its_request_reaches_the_region() -> None:
    served = Served(FakeAnswer(b"{}"))
    await served.answer(query="billingCode=CC-1001&api-version=1&subscription-key=" + KEY)
    (sent,) = served.upstream.sent
    assert sent.url.endswith("/chat/completions?api-version=1")
    assert sent.headers["api-key"] == BACKEND_KEY
    assert KEY not in repr(sent)


async def test_a_trusted_caller_says_who_pays() -> None:
    served = Served(FakeAnswer(completion()))
    forwarded = {"request-id": "from-apim", "subscription": "sub-42", "user": "Zo%C3%AB"}
    headers = tuple((f"x-tollgate-{name}", value) for name, value in forwarded.items())
    await served.answer(query="username=bob", headers=(("api-key", TRUSTED_KEY), *headers))
    assert served.sink.only.id == "from-apim"
    assert (served.data.user, served.data.subscription) == ("Zoë", "sub-42")


async def test_a_throttled_region_is_not_seen_by_the_client() -> None:
    served = Served(THROTTLED, FakeAnswer(completion()))
    answer = await served.answer()
    assert answer.status == 200
    assert dict(answer.headers)["x-tollgate-attempts"] == "2"
    assert (served.data.backend, served.data.attempts) == ("neu-1", 2)


async def test_an_attempt_that_may_have_cost_has_its_own_event() -> None:
    served = Served(CUT, FakeAnswer(completion()))
    await served.answer()
    attempt, delivered = served.sink.events
    assert (attempt.id, attempt.data.provenance, attempt.data.tokens) == (
        "req-1.a1",
        "unknown",
        None,
    )
    assert (attempt.data.delivered, attempt.data.backend) == (False, "weu-1")
    assert (delivered.id, delivered.data.delivered, delivered.data.attempts) == ("req-1", True, 2)


async def test_throttled_everywhere_is_429_with_the_time_to_wait() -> None:
    served = Served(THROTTLED, THROTTLED)
    answer = await served.answer()
    assert (answer.status, dict(answer.headers)["retry-after"]) == (429, "7")
    assert (served.data.provenance, served.data.attempts) == ("none", 2)


async def test_failing_everywhere_is_503() -> None:
    served = Served(CUT, CUT)
    assert (await served.answer()).status == 503
    assert [event.id for event in served.sink.events] == ["req-1.a1", "req-1.a2", "req-1"]


async def test_a_probe_is_made_when_the_time_is_over() -> None:
    time = FakeClock()
    served = Served(
        CUT, FakeAnswer(b"{}"), FakeAnswer(b"{}"), clock=time.clock, rules=BreakerRules(open_s=5)
    )
    assert dict((await served.answer()).headers)["x-tollgate-backend"] == "neu-1"
    time.s += 5
    assert dict((await served.answer()).headers)["x-tollgate-backend"] == "weu-1"


async def test_a_blocked_prompt_is_estimated() -> None:
    body = b'{"error":{"code":"content_filter"}}'
    served = Served(FakeAnswer(body, status=400))
    assert (await served.answer()).body == body
    assert (served.data.provenance, served.data.status) == ("estimated", 400)
    assert served.data.tokens == Tokens(input=3, output=0, cached_input=None)


async def test_a_stream_that_nobody_asked_for_is_relayed_and_measured() -> None:
    served = Served(stream())
    assert await read_all(await served.answer())
    assert (served.data.provenance, served.data.streamed) == ("measured", True)


async def test_a_whole_answer_to_a_streamed_request_is_measured() -> None:
    served = Served(FakeAnswer(completion()))
    assert (await served.answer(body=chat(stream=True))).body == completion()
    assert (served.data.provenance, served.data.tokens) == ("measured", Tokens(input=10, output=5))


async def test_the_model_of_the_body_chooses_the_deployment() -> None:
    served = Served(FakeAnswer(b'{"usage":{"prompt_tokens":1}}'))
    await served.answer(path="/v1/embeddings", body=b'{"model":"gpt-4o-mini","input":"x"}')
    assert served.upstream.sent[0].body == b'{"model":"mini","input":"x"}'
    assert served.data.tokens == Tokens(input=1, output=0)


async def test_a_bug_answers_500_and_is_counted_as_unknown(
    caplog: pytest.LogCaptureFixture,
) -> None:
    served = Served(ValueError(f"Say hi to me with {KEY}"))
    answer = await served.answer()
    assert (answer.status, error_of(answer)["code"]) == (500, "internal_error")
    assert (served.data.provenance, served.data.tokens, served.data.status) == (
        "unknown",
        None,
        500,
    )
    assert "req-1 failed: ValueError" in caplog.text
    assert "in send" in caplog.text


async def test_no_log_line_holds_a_key_or_a_prompt(caplog: pytest.LogCaptureFixture) -> None:
    bug = ValueError(f"Say hi to me with {KEY} or {BACKEND_KEY}")
    for script in ([bug], [CUT, THROTTLED], [CUT, stream()], [FakeAnswer(completion(text="Hi"))]):
        await read_all(await Served(*script).answer(body=chat(stream=True)))
    assert "weu-1 broke off" in caplog.text
    for secret in (KEY, BACKEND_KEY, hashed(KEY), "Say hi", "Hello"):
        assert secret not in caplog.text


async def test_an_answer_that_is_paid_for_goes_out_even_if_it_cannot_be_recorded() -> None:
    served = Served(FakeAnswer(completion()))

    def full(event: UsageEvent) -> None:  # noqa: ARG001  as a sink takes it
        raise OSError

    served.sink.record = full
    assert (await served.answer()).body == completion()


async def test_what_cannot_be_noted_is_not_sent(caplog: pytest.LogCaptureFixture) -> None:
    served = Served()

    def full(request_id: str, event: bytes) -> None:  # noqa: ARG001  as a sink takes it
        raise OSError(28, "No space left on device")

    served.sink.begin = full
    answer = await served.answer()
    assert (answer.status, error_of(answer)["code"]) == (503, "journal_unavailable")
    assert dict(answer.headers)["x-request-id"] == "req-1"
    assert (served.data.provenance, served.upstream.sent) == ("none", [])
    assert "Traceback" not in caplog.text


async def test_a_deeply_nested_prompt_is_relayed_and_counted() -> None:
    nested = b"[" * 700 + b'"Hi"' + b"]" * 700
    body = b'{"stream":true,"messages":[{"role":"user","content":' + nested + b"}]}"
    served = Served(stream())
    answer = await served.answer(body=body)
    assert answer.status in {200, 400}
    await read_all(answer)
    assert served.data.provenance in {"injected", "none"}


async def test_usage_of_a_response_is_measured() -> None:
    counts = {"input_tokens": 7, "output_tokens": 3, "total_tokens": 10}
    served = Served(FakeAnswer(completion(id="resp_1", usage={**usage(), **counts})))
    await served.answer(path="/openai/responses", body=b'{"model":"gpt-4o-mini","input":"x"}')
    assert (served.data.api, served.data.response_id) == ("responses", "resp_1")
    assert served.data.tokens == Tokens(input=7, output=3)
