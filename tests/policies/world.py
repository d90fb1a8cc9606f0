"""A gateway that runs the product's policies, between real clients and simulated regions."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

import aiohttp
from aiohttp import web
from policies.backends import Backend, Pool
from policies.behind import MINI, REGIONS, VECTORS, proxy_listening, region_settings
from policies.evaluator import Evaluator
from policies.gateway import Api, ApiManagement, running
from policies.topic import Topic, checked_event
from proxying import KEY, TRUSTED_KEY, RecordingSink, hashed

from tollgate.local.servers import serving
from tollgate.local.simulator import SimulatedRegion
from tollgate.local.simulator.region import regions_listening
from tollgate.local.simulator.request_log import LogEntry
from tollgate.usage.event import UsageEvent

FOLDER: Final = Path(__file__).parents[2] / "gateway_policies"
FRAGMENTS: Final = {
    path.stem: path.read_text("utf-8") for path in sorted(FOLDER.glob("fragments/*.xml"))
}
POLICIES: Final = {path.stem: path.read_text("utf-8") for path in sorted(FOLDER.glob("*.xml"))}
BILLED: Final = {"username": "alice", "companyName": "Contoso GmbH", "billingCode": "CC-1001"}
NAMED_VALUES: Final = {
    "tollgate-gateway-id": "gw-weu",
    "tollgate-tenants": "sub-42=contoso,Contoso GmbH;sub-43=fabrikam;app-7=fabrikam",
    "tollgate-billing-codes": "contoso=CC-1001,CC-1002;fabrikam=FB-7",
    "tollgate-unknown-billing-code": "suspense",
    "tollgate-keys": f"{hashed(KEY)}=sub-42",
    "tollgate-entra-audience": "none",
    "tollgate-entra-openid-config": "https://login.microsoftonline.com/openid-configuration",
    "tollgate-low-priority-tenants": "none",
    "tollgate-deployments": f"{MINI}={MINI},2024-07-18,standard,regional;"
    f"{VECTORS}={VECTORS},1,standard,regional",
    "tollgate-backend-id": "aoai",
    "tollgate-ptu-deployments": "none",
    "tollgate-ptu-backend-id": "aoai",
    "tollgate-embeddings-backend-id": "embeddings",
    "tollgate-content-safety-backend-id": "safety",
    "tollgate-tokens-per-minute": "100000",
    "tollgate-low-tokens-per-minute": "1000",
    "tollgate-tokens-per-month": "50000000",
    "tollgate-proxy-key": TRUSTED_KEY,
}

Surface = Literal["dated", "v1"]
Topology = Literal["direct", "proxy"]
_POLICY_OF: Final = {"direct": "api-direct", "proxy": "api-with-proxy"}


@dataclass(frozen=True)
class Answer:
    """What a client got."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def error(self) -> dict[str, Any]:
        """The error in OpenAI's shape."""
        return json.loads(self.body)["error"]


@dataclass
class PolicyWorld:
    """Everything that runs for one test.

    Args:
        sink: What the proxy emits; empty in the direct topology.
    """

    url: str
    gateway: ApiManagement
    regions: dict[str, SimulatedRegion]
    topic: Topic
    sink: RecordingSink
    client: aiohttp.ClientSession

    @property
    def asked(self) -> list[LogEntry]:
        """What the regions were asked, the first region's requests first."""
        return [entry for region in self.regions.values() for entry in region.log]

    async def post(self, path: str, body: Any, **request: Any) -> Answer:
        """Post JSON to the gateway."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        async with self.client.post(self.url + path, data=data, **request) as answer:
            return Answer(answer.status, answer.headers, await answer.read())

    async def chat(
        self,
        surface: Surface = "dated",
        *,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] = BILLED,
        **body: Any,
    ) -> Answer:
        """Ask for a chat completion."""
        path, version = chat_path(surface)
        return await self.post(
            path,
            {"model": MINI, "messages": [{"role": "user", "content": "Say hi to me"}], **body},
            headers={"api-key": KEY, "Content-Type": "application/json", **(headers or {})},
            params={**version, **query},
        )

    async def events(self) -> list[UsageEvent]:
        """All events of the gateway and the proxy."""
        await self.gateway.finish()
        assert self.topic.refused == []
        hub = [checked_event(each) for each in self.gateway.hubs["tollgate-usage"]]
        return [*self.topic.events, *hub, *self.sink.events]

    async def event(self) -> UsageEvent:
        """The one event that there is."""
        events = await self.events()
        assert len(events) == 1
        return events[0]


def chat_path(surface: Surface) -> tuple[str, dict[str, str]]:
    """Where a chat completion is asked for, and the version that the query states."""
    if surface == "v1":
        return "/openai/v1/chat/completions", {}
    return f"/openai/deployments/{MINI}/chat/completions", {"api-version": "2024-10-21"}


def api(
    topology: Topology,
    named_values: Mapping[str, str],
    backends: Mapping[str, Backend | Pool],
    edit: Callable[[str, str], str],
) -> Api:
    """The product's API for a topology.

    Args:
        topology: What is behind the gateway.
        named_values: In place of the usual ones, or beside them.
        backends: The service's backends.
        edit: Changes the text of a file, by its name.
    """
    name = _POLICY_OF[topology]
    return Api(
        policy=edit(name, POLICIES[name]),
        fragments={name: edit(name, text) for name, text in FRAGMENTS.items()},
        named_values={**NAMED_VALUES, **named_values},
        backends=backends,
    )


def unchanged(name: str, text: str) -> str:
    """The files as they are."""
    del name
    return text


@asynccontextmanager
async def policy_world(  # noqa: PLR0913  each has a default that most tests keep
    evaluator: Evaluator,
    topology: Topology = "direct",
    *,
    edit: Callable[[str, str], str] = unchanged,
    backend_url: str | None = None,
    subscription_keys: Mapping[str, str] | None = None,
    outer: str | None = None,
    values: Mapping[str, str] | None = None,
) -> AsyncGenerator[PolicyWorld]:
    """Regions, a topic, perhaps a proxy, and the gateway in front of them.

    Args:
        evaluator: Evaluates expressions.
        topology: What is behind the gateway.
        edit: Changes the text of a policy file before it is read.
        backend_url: Of a backend that stands where the regions would.
        subscription_keys: That the API asks for -> subscriptions; without, it asks for none.
        outer: The policy of the scope around.
        values: Named values in place of the usual ones, without `tollgate-`.
    """
    topic, sink = Topic(), RecordingSink()
    app = web.Application()
    app.router.add_post("/api/events", topic.publish)
    given = {f"tollgate-{name}": text for name, text in (values or {}).items()}
    settings = [region_settings(name) for name in REGIONS]
    async with (
        regions_listening(settings) as regions,
        serving(app) as topic_url,
        proxy_listening(regions, sink) as proxy_url,
        aiohttp.ClientSession() as client,
    ):
        members = {name: Backend(f"{region.url}/openai") for name, region in regions.items()}
        pool = Pool({name: place for place, name in enumerate(members)})
        aoai = Backend(f"{backend_url}/openai") if backend_url else pool
        services = {"embeddings": Backend(topic_url), "safety": Backend(topic_url)}
        addresses = {
            "tollgate-event-grid-endpoint": f"{topic_url}/api/events",
            "tollgate-proxy-url": f"{proxy_url}/openai",
        }
        made = replace(
            api(topology, {**addresses, **given}, {"aoai": aoai, **members, **services}, edit),
            keys=subscription_keys or {},
            outer=outer,
        )
        async with running(made, evaluator) as (service, url):
            yield PolicyWorld(url, service, regions, topic, sink, client)
    assert_nothing_leaked(regions)


def assert_nothing_leaked(regions: Mapping[str, SimulatedRegion]) -> None:
    """The regions have seen no billing parameter, no key of a client, and no header of ours."""
    for region in regions.values():
        for entry in region.log:
            seen = f"{entry.path}?{entry.query} {entry.headers}".lower()
            for secret in ("username", "companyname", "billingcode", KEY, "x-tollgate", "alice"):
                assert secret not in seen
            credentials = set(entry.headers) & {
                "api-key",
                "authorization",
                "cookie",
                "ocp-apim-subscription-key",
            }
            assert len(credentials) == 1
