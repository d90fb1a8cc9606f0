"""An API Management service that runs policy documents, over real HTTP on both sides."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections import defaultdict
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import aiohttp
from aiohttp import web
from policies import flow_steps, gateway_steps, message_steps
from policies.backends import Backend, Backends, Pool
from policies.compiler import compile_expressions
from policies.documents import Expression, Step, read_document
from policies.evaluator import Evaluator
from policies.messages import Outgoing, Reply, carried
from policies.run import Handler, Refused, Run
from policies.vocabulary import SECTIONS, check_fragment, check_policy
from yarl import URL

from tollgate.local.servers import serving

HANDLERS: Final[Mapping[str, Handler]] = {
    name.replace("_", "-"): getattr(module, name)
    for module in (flow_steps, message_steps, gateway_steps)
    for name in vars(module)
    if inspect.iscoroutinefunction(getattr(module, name)) and not name.startswith("_")
}


@dataclass(frozen=True)
class Api:
    """An API as it is set up in API Management.

    Args:
        policy: Its policy document.
        fragments: The service's fragments by id.
        named_values: The service's named values.
        backends: The service's backends by id.
        outer: The policy document of the scope around it.
        keys: Subscription keys -> ids of subscriptions; empty where the API asks for none.
        suffix: What stands before the API's operations in a path.
    """

    policy: str
    fragments: Mapping[str, str]
    named_values: Mapping[str, str]
    backends: Mapping[str, Backend | Pool]
    outer: str | None = None
    keys: Mapping[str, str] = field(default_factory=dict[str, str])
    suffix: str = "/openai"


class ApiManagement:
    """Runs one API.

    Args:
        api: The API.
        evaluator: Evaluates its expressions.
        session: Sends its requests.

    Attributes:
        hubs: What each logger's Event Hub was given.
        answered: What the clients got.
        failures: Expressions that threw.

    Raises:
        Unreadable: The documents hold what API Management does not have.
    """

    MAX_HUB_MESSAGE_BYTES: Final = 200 * 1024

    def __init__(self, api: Api, evaluator: Evaluator, session: aiohttp.ClientSession) -> None:
        self._api = api
        self.evaluator = evaluator
        self.session = session
        self.evaluating = asyncio.Lock()
        self.scopes, self.fragments = read_api(api)
        documents = [*self.scopes, *self.fragments.values()]
        expressions = [each for document in documents for each in document.expressions()]
        assembly = compile_expressions(expressions)
        self._places = {id(each): (assembly, at) for at, each in enumerate(expressions)}
        self.backends = Backends(dict(api.backends))
        self.hubs: dict[str, list[bytes]] = defaultdict(list)
        self.traces: list[str] = []
        self.answered: list[Reply] = []
        self.metrics: list[tuple[str, dict[str, str]]] = []
        self.failures: list[str] = []
        self.tokens_used: dict[str, int] = {}
        self.cache: dict[str, Reply] = {}
        self._aside: set[asyncio.Task[None]] = set()
        self.app = web.Application(client_max_size=16 * 1024 * 1024)
        self.app.router.add_route("*", "/{path:.*}", self._handle)

    def place(self, expression: Expression) -> tuple[Any, int]:
        """Where the compiled expression is."""
        return self._places[id(expression)]

    def identity_token(self, resource: str) -> str:
        """What Entra gives the service's identity for a resource."""
        return f"identity-for-{resource}"

    def moved(self, url: str, address: str) -> str:
        """A request's URL at another address of the API."""
        here, there = urlsplit(url), urlsplit(address)
        path = there.path.rstrip("/") + here.path.removeprefix(self._api.suffix)
        return urlunsplit((there.scheme, there.netloc, path, here.query, ""))

    async def get_json(self, url: str) -> dict[str, Any]:
        """What an address publishes."""
        async with self.session.get(url) as answer:
            return await answer.json()

    def send_aside(self, sent: Outgoing) -> None:
        """Send what nobody waits for."""
        task = asyncio.create_task(self._send(sent))
        self._aside.add(task)
        task.add_done_callback(self._aside.discard)

    async def finish(self) -> None:
        """Wait for what was sent aside."""
        await asyncio.gather(*self._aside)

    async def _send(self, sent: Outgoing) -> None:
        try:
            async with self.session.request(
                sent.method, URL(sent.url, encoded=True), headers=sent.headers, data=sent.body
            ):
                pass
        except aiohttp.ClientError:
            return

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        headers = carried([(name, value) for name, value in request.headers.items()])
        url = f"http://{request.host}{request.raw_path}"
        body = await request.read() if request.can_read_body else None
        subscription, refusal = self._authenticated(request)
        context = {
            "RequestId": str(uuid4()),
            "Subscription": subscription and {"Id": subscription, "Name": subscription},
            "Api": {"Id": "openai", "Name": "openai", "Path": self._api.suffix.strip("/")},
            "Operation": {"Id": "operation", "Method": request.method},
            "Deployment": {"GatewayId": "managed", "Region": "West Europe"},
        }
        run = Run(self, Outgoing(request.method, url, headers, body), url, context, HANDLERS)
        await run.go(refusal)
        return await self._delivered(request, run)

    def _authenticated(self, request: web.Request) -> tuple[str | None, Refused | None]:
        """The subscription of the key in `api-key`, as an API that asks for one has it."""
        if not self._api.keys:
            return None, None
        key = request.headers.get("api-key", "")
        if key in self._api.keys:
            return self._api.keys[key], None
        reason = "SubscriptionKeyInvalid" if key else "SubscriptionKeyNotFound"
        message = json.dumps({"statusCode": 401, "message": "Access denied"}).encode()
        json_type = [("Content-Type", "application/json")]
        return None, Refused("authorization", reason, Reply(401, reason, json_type, message))

    async def _delivered(self, request: web.Request, run: Run) -> web.StreamResponse:
        answer, upstream = run.answer, run.answer.upstream
        response = web.StreamResponse(status=answer.status)
        for name, value in answer.headers:
            response.headers.add(name, value)
        await response.prepare(request)
        if upstream is None:
            await response.write(answer.body)
        else:
            async for chunk in upstream.content.iter_any():
                await response.write(chunk)
        await response.write_eof()
        self._count(run)
        return response

    def _count(self, run: Run) -> None:
        self.answered.append(run.answer)
        self.metrics += run.counted.metrics
        for key in run.counted.token_counters:
            tokens = (len(run.request.body or b"") + len(run.answer.body)) // 4
            self.tokens_used[key] = self.tokens_used.get(key, 0) + tokens


def read_api(api: Api) -> tuple[tuple[Step, ...], dict[str, Step]]:
    """The scopes of an API, the innermost first, and the fragments that they include.

    Raises:
        Unreadable: The documents hold what API Management does not have.
    """
    texts = {"api.xml": api.policy, "outer.xml": api.outer}
    scopes = tuple(
        read_document(text, file, api.named_values) for file, text in texts.items() if text
    )
    fragments: dict[str, Step] = {}
    for scope in scopes:
        check_policy(scope)
        for section in SECTIONS:
            inside = scope.child(section)
            assert inside is not None
            for step in inside.walk():
                if step.tag == "include-fragment":
                    name = str(step.attributes["fragment-id"])
                    fragments.setdefault(
                        name, read_document(api.fragments[name], f"{name}.xml", api.named_values)
                    )
                    check_fragment(fragments[name], section)
    return scopes, fragments


@asynccontextmanager
async def running(api: Api, evaluator: Evaluator) -> AsyncGenerator[tuple[ApiManagement, str]]:
    """The service and its URL, while the block runs."""
    async with aiohttp.ClientSession(
        auto_decompress=False, skip_auto_headers=("Accept", "Accept-Encoding", "User-Agent")
    ) as session:
        gateway = ApiManagement(api, evaluator, session)
        async with serving(gateway.app) as url:
            yield gateway, url
            await gateway.finish()
        assert gateway.failures == []
