"""What must hold of the policies, each shown by one call; a changed policy can be shown to fail it.

Each takes what evaluates expressions and a change of the policy files.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from policies.evaluator import Evaluator
from policies.scripted import answers, streams
from policies.world import PolicyWorld, Topology, policy_world
from proxying import BACKEND_KEY, KEY

from tollgate.local.simulator.faults import Throttle
from tollgate.usage.event import UsageData

Edit = Callable[[str, str], str]
Behaviour = Callable[[Evaluator, Edit], Awaitable[None]]

USAGE: Final = {"prompt_tokens": 10, "completion_tokens": 5}
FRAMES: Final = (b'data: {"choices": []}\n\n', b"data: [DONE]\n\n")


async def event_of(
    evaluator: Evaluator, edit: Edit, answer: Any, status: int = 200, **headers: str
) -> UsageData:
    """The event of a call that a backend answers so."""
    async with (
        answers(answer, status, **headers).listening() as backend,
        policy_world(evaluator, edit=edit, backend_url=backend.url) as world,
    ):
        await world.chat()
        return (await world.event()).data


async def strips_billing_parameters(evaluator: Evaluator, edit: Edit) -> None:
    """No billing parameter goes upstream, in any case."""
    for query in (
        {"username": "alice", "companyName": "contoso", "billingCode": "CC-1001"},
        {"USERNAME": "alice", "companyname": "contoso", "BillingCode": "CC-1001"},
    ):
        async with policy_world(evaluator, edit=edit) as world:
            assert (await world.chat(query=query)).status == 200
            event = await world.event()
            assert (event.data.user, event.data.billing_code) == ("alice", "CC-1001")


async def reports_null_for_unknown(evaluator: Evaluator, edit: Edit) -> None:
    """What an answer does not say is null: the whole, and each part."""
    data = await event_of(evaluator, edit, {"choices": []})
    assert (data.provenance, data.tokens) == ("unknown", None)
    data = await event_of(evaluator, edit, {"usage": USAGE})
    assert data.tokens is not None
    assert (data.tokens.input, data.tokens.output) == (10, 5)
    assert data.tokens.cached_input is None
    assert data.tokens.reasoning_output is None


async def sends_the_body_again(evaluator: Evaluator, edit: Edit) -> None:
    """A second attempt has the request's body."""
    async with policy_world(evaluator, edit=edit) as world:
        world.regions["weu-1"].faults.add(Throttle(times=1))
        assert (await world.chat()).status == 200


async def fits_an_event_into_the_hub(evaluator: Evaluator, edit: Edit) -> None:
    """An answer with long names has an event that is not cut."""
    long = {"model": "m" * 300_000, "service_tier": "t\u2028" * 100_000, "usage": USAGE}
    data = await event_of(evaluator, _to_hub(edit), long)
    assert data.model == "m" * 256
    assert data.service_tier == "t?" * 128
    data = await event_of(evaluator, edit, {"model": "m" * 255 + "😀", "usage": USAGE})
    assert data.model == "m" * 255


def _to_hub(edit: Edit) -> Edit:
    """The files as the README has them for an Event Hub."""
    return lambda name, text: edit(name, text).replace(
        "tollgate-emit-event-grid", "tollgate-emit-event-hub"
    )


async def lets_a_stream_through(evaluator: Evaluator, edit: Edit) -> None:
    """The gateway does not wait for the end of a stream."""
    for topology in ("direct", "proxy"):
        async with policy_world(evaluator, topology, edit=edit) as world:
            await world.chat(stream=True)
            assert not _held(world)


async def lets_a_stream_through_that_nobody_asked_for(evaluator: Evaluator, edit: Edit) -> None:
    """A stream is known by its type too."""
    async with (
        streams(*FRAMES).listening() as backend,
        policy_world(evaluator, edit=edit, backend_url=backend.url) as world,
    ):
        await world.chat()
        assert not _held(world)
        assert (await world.event()).data.provenance == "pending"


def _held(world: PolicyWorld) -> bool:
    return any(reply.was_held for reply in world.gateway.answered)


async def believes_no_header_of_a_client(evaluator: Evaluator, edit: Edit) -> None:
    """A client cannot speak in the gateway's headers."""
    spoofed = {
        "x-tollgate-user": "mallory",
        "x-tollgate-company": "fabrikam",
        "x-tollgate-billing-code": "CC-1002",
        "x-tollgate-request-id": "of-the-client",
        "x-tollgate-subscription": "sub-43",
    }
    async with policy_world(evaluator, "proxy", edit=edit) as world:
        answer = await world.chat(headers=spoofed, query={})
        event = await world.event()
        assert (answer.status, event.data.subscription) == (200, "sub-42")
        assert event.id != "of-the-client"
        assert (event.data.user, event.data.billing_code) == (None, None)


async def keeps_the_clients_key(evaluator: Evaluator, edit: Edit) -> None:
    """The key of a client opens the gateway, and is seen by nobody behind it."""
    topologies: tuple[Topology, ...] = ("direct", "proxy")
    for topology in topologies:
        async with (
            answers({"usage": USAGE}).listening() as backend,
            policy_world(
                evaluator,
                topology,
                edit=edit,
                backend_url=backend.url,
                values={"proxy-url": f"{backend.url}/openai"},
            ) as world,
        ):
            for name in ("api-key", "Ocp-Apim-Subscription-Key", "Authorization"):
                value = KEY if name != "Authorization" else f"Bearer {KEY}"
                await world.chat(
                    headers={"api-key": "", name: value},
                    messages=[{"role": "user", "content": name}],
                )
                sent = str(backend.asked[-1].headers)
                assert KEY not in sent
                assert BACKEND_KEY not in sent
            assert len(backend.asked) == 3


async def sends_one_event(evaluator: Evaluator, edit: Edit) -> None:
    """A call has one event, although an outer scope fails it after its answer."""
    outer = (
        "<policies><inbound /><backend><forward-request /></backend><outbound>"
        '<set-variable name="x" value="@((object)int.Parse("x"))" /></outbound>'
        "<on-error /></policies>"
    )
    for emitting in (edit, _to_hub(edit)):
        async with policy_world(evaluator, edit=emitting, outer=outer) as world:
            answer = await world.chat()
            event = await world.event()
            world.gateway.failures.clear()
            assert (answer.status, event.data.provenance) == (500, "measured")
            assert answer.error["code"] == "internal_error"


async def lets_an_outer_scope_speak(evaluator: Evaluator, edit: Edit) -> None:
    """What the scope around says holds in every section, and a call that it fails has one event."""
    outer = (
        "<policies><inbound><choose>"
        '<when condition="@(context.Request.Headers.ContainsKey("x-fail"))">'
        '<set-variable name="x" value="@((object)int.Parse("x"))" /></when></choose></inbound>'
        '<backend><forward-request /></backend><outbound><set-header name="x-out">'
        "<value>out</value></set-header></outbound>"
        '<on-error><set-header name="x-error"><value>on</value></set-header></on-error></policies>'
    )
    for topology in ("direct", "proxy"):
        async with policy_world(evaluator, topology, edit=edit, outer=outer) as world:
            answer = await world.chat()
            assert (answer.status, answer.headers.get("x-out")) == (200, "out")
            failed = await world.chat(headers={"x-fail": "1"})
            world.gateway.failures.clear()
            assert (failed.status, failed.headers.get("x-error")) == (500, "on")
            reported = [each.data for each in await world.events()]
            assert len(reported) == 2
            (refused,) = [data for data in reported if data.status == 500]
            assert (refused.provenance, refused.tenant) == ("none", "contoso")


async def asks_the_proxy_once(evaluator: Evaluator, edit: Edit) -> None:
    """What the proxy answers is the answer: 429 too."""
    async with policy_world(evaluator, "proxy", edit=edit) as world:
        for region in world.regions.values():
            region.faults.add(Throttle())
        assert (await world.chat()).status == 429
        assert [event.data.attempts for event in await world.events()] == [3]


async def bills_the_company_of_the_key(evaluator: Evaluator, edit: Edit) -> None:
    """Nobody's tokens go to another company or to a code that it does not have."""
    topologies: tuple[Topology, ...] = ("direct", "proxy")
    for topology in topologies:
        async with policy_world(evaluator, topology, edit=edit) as world:
            refused = await world.chat(query={"companyName": "fabrikam"})
            assert refused.status == 403
            assert refused.error["code"] == "company_mismatch"
            await world.chat(query={"billingCode": "FB-7"})
            codes = [event.data.billing_code for event in await world.events()]
            assert codes == [None, None]


ALL: Final[dict[str, Behaviour]] = {
    each.__name__: each
    for each in (
        asks_the_proxy_once,
        believes_no_header_of_a_client,
        bills_the_company_of_the_key,
        fits_an_event_into_the_hub,
        keeps_the_clients_key,
        lets_an_outer_scope_speak,
        lets_a_stream_through,
        lets_a_stream_through_that_nobody_asked_for,
        reports_null_for_unknown,
        sends_one_event,
        sends_the_body_again,
        strips_billing_parameters,
    )
}
