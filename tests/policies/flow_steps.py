"""The policies that decide what runs, and the one that sends a request on."""

from __future__ import annotations

import aiohttp
from policies.documents import Step
from policies.messages import Reply, carried
from policies.run import Refused, Run
from yarl import URL


async def base(run: Run, step: Step) -> None:
    """`base`: the same section of the scope around."""
    del step
    await run.run_scope()


async def include_fragment(run: Run, step: Step) -> None:
    """`include-fragment`."""
    fragment = run.gateway.fragments[await run.attribute(step, "fragment-id")]
    await run.run_steps(fragment.children)


async def choose(run: Run, step: Step) -> None:
    """`choose`: the first branch whose condition holds."""
    for branch in step.children:
        if branch.tag == "otherwise" or await run.holds(branch):
            await run.run_steps(branch.children)
            return


async def set_variable(run: Run, step: Step) -> None:
    """`set-variable`."""
    await run.set_variable(await run.attribute(step, "name"), step.attributes["value"])


async def retry(run: Run, step: Step) -> None:
    """`retry`: once, and again while the condition holds; nobody waits in between."""
    count = int(await run.attribute(step, "count"))
    await run.attribute(step, "interval")
    for again in range(count + 1):
        failure: Refused | None = None
        try:
            await run.run_steps(step.children)
        except Refused as refused:
            failure = refused
        if again == count or not await run.holds(step):
            if failure is not None:
                raise failure
            return


async def set_backend_service(run: Run, step: Step) -> None:
    """`set-backend-service`."""
    if backend_id := await run.attribute(step, "backend-id"):
        assert backend_id in run.gateway.backends.by_id, f"there is no backend {backend_id}"
        run.backend_id = backend_id
    else:
        run.backend_id = None
        address = await run.attribute(step, "base-url")
        run.request.url = run.gateway.moved(run.request.url, address)


async def forward_request(run: Run, step: Step) -> None:
    """`forward-request`: over HTTP to the backend, or to one of the pool."""
    gateway, url, backend = run.gateway, run.request.url, None
    if run.backend_id is not None:
        backend = gateway.backends.pick(run.backend_id)
        if backend is None:
            raise Refused("forward-request", "BackendPoolUnavailable", Reply(503))
        url = gateway.moved(url, backend.url)
    reply = await _sent(run, step, url)
    if backend is not None:
        backend.answered(reply)
    run.respond(reply)
    if await run.attribute(step, "buffer-response", "true") == "true":
        await reply.read()


async def _sent(run: Run, step: Step, url: str) -> Reply:
    gateway = run.gateway
    seconds = float(await run.attribute(step, "timeout", "300"))
    body = run.forwardable_body()
    if run.response is not None and await _is_body_gone(run, step):
        body = b""
    try:
        answer = await gateway.session.request(
            run.request.method,
            URL(url, encoded=True),
            headers=carried(run.request.headers),
            data=body,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=None, sock_read=seconds),
        )
    except (aiohttp.ClientError, TimeoutError) as error:
        raise Refused(
            "forward-request", "BackendConnectionFailure", Reply(500, type(error).__name__)
        ) from error
    return Reply(
        answer.status,
        answer.reason or "",
        carried([(name, value) for name, value in answer.headers.items()]),
        upstream=answer,
    )


async def _is_body_gone(run: Run, step: Step) -> bool:
    """A body that was not buffered is sent once, and is empty when the request goes out again."""
    return await run.attribute(step, "buffer-request-body", "false") != "true"
