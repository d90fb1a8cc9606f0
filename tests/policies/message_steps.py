"""The policies that change a request or a response."""

from __future__ import annotations

from urllib.parse import quote

from policies.documents import Step
from policies.messages import Outgoing, Reply, name_of, replaced
from policies.run import Returned, Run


async def set_header(run: Run, step: Step) -> None:
    """`set-header`, on the request or on the response."""
    run.headers = await _with_header(run, step, run.headers)


async def _with_header(
    run: Run, step: Step, headers: list[tuple[str, str]]
) -> list[tuple[str, str]]:
    name = await run.attribute(step, "name")
    values = [await run.text(value.text) for value in step.children]
    action = await run.attribute(step, "exists-action", "override")
    return replaced(headers, name, values, action)


async def set_query_parameter(run: Run, step: Step) -> None:
    """`set-query-parameter`; a name is the same only if it is written the same."""
    name = await run.attribute(step, "name")
    values = [await run.text(value.text) for value in step.children]
    action = await run.attribute(step, "exists-action", "override")
    pairs = run.request.query()
    present = any(name_of(pair) == name for pair in pairs)
    if action == "skip" and present:
        return
    kept = pairs if action == "append" else [pair for pair in pairs if name_of(pair) != name]
    added = [] if action == "delete" else [f"{quote(name)}={quote(value)}" for value in values]
    run.request.set_query([*kept, *added])


async def set_body(run: Run, step: Step) -> None:
    """`set-body`, on the request or on the response."""
    body = (await run.text(step.text)).encode()
    if run.section in {"inbound", "backend"}:
        run.request.body = body
    else:
        await run.answer.read()
        run.answer.body = body


async def set_status(run: Run, step: Step) -> None:
    """`set-status`."""
    run.answer.status = int(await run.attribute(step, "code"))
    run.answer.reason = await run.attribute(step, "reason")


async def return_response(run: Run, step: Step) -> None:
    """`return-response`."""
    reply = Reply(200)
    for part in step.children:
        if part.tag == "set-status":
            reply.status = int(await run.attribute(part, "code"))
            reply.reason = await run.attribute(part, "reason")
        elif part.tag == "set-header":
            reply.headers = await _with_header(run, part, reply.headers)
        else:
            reply.body = (await run.text(part.text)).encode()
    run.respond(reply)
    raise Returned


async def send_one_way_request(run: Run, step: Step) -> None:
    """`send-one-way-request`: nobody waits, and nobody learns of a failure."""
    is_copy = await run.attribute(step, "mode", "new") == "copy"
    sent = Outgoing("GET", "", list(run.request.headers) if is_copy else [])
    for part in step.children:
        if part.tag == "set-url":
            sent.url = await run.text(part.text)
        elif part.tag == "set-method":
            sent.method = await run.text(part.text)
        elif part.tag == "set-header":
            sent.headers = await _with_header(run, part, sent.headers)
        elif part.tag == "set-body":
            sent.body = (await run.text(part.text)).encode()
        else:
            token = run.gateway.identity_token(await run.attribute(part, "resource"))
            sent.headers = replaced(sent.headers, "Authorization", [f"Bearer {token}"], "override")
    run.gateway.send_aside(sent)


async def log_to_eventhub(run: Run, step: Step) -> None:
    """`log-to-eventhub`: what is longer than 200 KB is cut, and nobody is told."""
    logger = await run.attribute(step, "logger-id")
    await run.attribute(step, "partition-key")
    message = (await run.text(step.text)).encode()
    run.gateway.hubs[logger].append(message[: run.gateway.MAX_HUB_MESSAGE_BYTES])


async def trace(run: Run, step: Step) -> None:
    """`trace`."""
    message = step.child("message")
    assert message is not None
    run.gateway.traces.append(await run.text(message.text))
