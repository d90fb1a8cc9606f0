"""The stand-in for API Management does what API Management does."""

from __future__ import annotations

import pytest
from aiohttp import ClientSession
from policies.backends import Backend
from policies.evaluator import Evaluator
from policies.expression_ends import Unreadable
from policies.gateway import Api, running
from policies.scripted import Scripted, answers
from policies.test_vocabulary import policy

FORWARD = '<forward-request buffer-request-body="true" />'
AGAIN = 'condition="@(context.Response == null || context.Response.StatusCode == 500)"'


async def call(
    evaluator: Evaluator, document: str, backend: Scripted, url: str = "/openai/x?a=%20b&a=2&c="
) -> tuple[int, str]:
    """Status and body of what a client gets."""
    service = Backend(f"{backend.url}/base")
    api = Api(document, {}, {}, {"it": service}, keys={"k": "sub-1"})
    async with running(api, evaluator) as (gateway, address), ClientSession() as client:
        async with client.post(address + url, data=b'{"a": 1}', headers={"api-key": "k"}) as answer:
            text = await answer.text()
        gateway.failures.clear()
        return answer.status, text


@pytest.mark.parametrize("failing", ["context.Missing", "1 +"])
async def test_expression_that_does_not_compile_stops_the_service(
    evaluator: Evaluator, failing: str
) -> None:
    document = policy(f'<set-variable name="x" value="@({failing})" />')
    with pytest.raises(Unreadable, match=r"api\.xml"):
        async with running(Api(document, {}, {}, {}), evaluator):
            pass


async def test_query_goes_on_as_it_was_written(evaluator: Evaluator) -> None:
    inbound = '<set-backend-service backend-id="it" />'
    async with answers({}).listening() as backend:
        await call(evaluator, policy(inbound, FORWARD), backend)
        assert backend.asked[0].path_qs == "/base/x?a=%20b&a=2&c="


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("override", "c=&a=x%20y"),
        ("append", "a=%20b&a=2&c=&a=x%20y"),
        ("skip", "a=%20b&a=2&c="),
        ("delete", "c="),
    ],
)
async def test_query_parameter_is_set(evaluator: Evaluator, action: str, expected: str) -> None:
    inbound = (
        '<set-backend-service backend-id="it" />'
        f'<set-query-parameter name="a" exists-action="{action}"><value>x y</value>'
        "</set-query-parameter>"
    )
    async with answers({}).listening() as backend:
        await call(evaluator, policy(inbound, FORWARD), backend)
        assert backend.asked[0].raw_path.partition("?")[2] == expected


async def test_body_that_was_read_and_not_left_cannot_be_sent_on(evaluator: Evaluator) -> None:
    inbound = (
        '<set-backend-service backend-id="it" />'
        '<set-variable name="x" value="@(context.Request.Body.As<JObject>())" />'
    )
    async with answers({}).listening() as backend:
        status, _ = await call(evaluator, policy(inbound, FORWARD), backend)
        assert (status, backend.asked) == (500, [])


async def test_retry_asks_so_often_and_gives_the_last_answer(evaluator: Evaluator) -> None:
    retry = f'<retry {AGAIN} count="2" interval="1">{FORWARD}</retry>'
    async with answers({"last": 1}, 500).listening() as backend:
        got = await call(
            evaluator, policy('<set-backend-service backend-id="it" />', retry), backend
        )
        assert backend.bodies == [b'{"a": 1}'] * 3
    assert got == (500, '{"last": 1}')


async def test_variable_of_another_type_fails_the_request(evaluator: Evaluator) -> None:
    inbound = (
        '<set-variable name="n" value="@(1)" /><set-variable name="s" '
        'value="@(context.Variables.GetValueOrDefault<string>("n", ""))" />'
    )
    async with answers({}).listening() as backend:
        on_error = "<set-body>@(context.LastError.Reason)</set-body>"
        got = await call(evaluator, policy(inbound, FORWARD, "", on_error), backend)
    assert got == (500, "ExpressionValueEvaluationFailure")


async def test_returned_response_ends_everything(evaluator: Evaluator) -> None:
    inbound = '<return-response><set-status code="418" reason="No" /></return-response>'
    outbound = "<set-body>not reached</set-body>"
    async with answers({}).listening() as backend:
        assert await call(evaluator, policy(inbound, FORWARD, outbound), backend) == (418, "")


async def test_outbound_sees_and_changes_the_answer(evaluator: Evaluator) -> None:
    outbound = (
        '<set-status code="@(context.Response.StatusCode + 1)" reason="Odd" />'
        '<set-body>@(context.Response.Body.As<JObject>()["b"].ToString() + '
        "context.Subscription.Id + context.Api.Id + context.Request.Method)</set-body>"
    )
    inbound = '<set-backend-service backend-id="it" />'
    async with answers({"b": 2}).listening() as backend:
        got = await call(evaluator, policy(inbound, FORWARD, outbound), backend)
    assert got == (201, "2sub-1openaiPOST")


@pytest.mark.parametrize(("mode", "key"), [("copy", "k"), ("new", None)])
async def test_request_aside_has_the_clients_headers_only_as_a_copy(
    evaluator: Evaluator, mode: str, key: str | None
) -> None:
    async with answers({}).listening() as backend:
        aside = (
            f'<send-one-way-request mode="{mode}"><set-url>{backend.url}/aside</set-url>'
            "<set-method>POST</set-method></send-one-way-request>"
        )
        await call(evaluator, policy(aside + "<return-response />"), backend)
        (asked,) = backend.asked
    assert (asked.path, asked.headers.get("api-key")) == ("/aside", key)
