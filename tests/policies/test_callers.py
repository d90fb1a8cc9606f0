"""Who calls: a subscription, a key in any of three headers, an application of Entra."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm
from policies.behaviours import USAGE
from policies.comparing import both_topologies
from policies.evaluator import Evaluator
from policies.scripted import answers
from policies.world import Topology, policy_world
from proxying import KEY, OTHER_KEY, hashed
from yarl import URL

from tollgate.local.servers import serving
from tollgate.usage.event import UsageData

AUDIENCE = "api://tollgate"
TWO_KEYS = f"{hashed(KEY)}=sub-42;{hashed(OTHER_KEY)}=sub-43"
_NOW = datetime.now(UTC)  # noqa: TID251  the gateway checks lifetimes by its own clock


class Directory:
    """Entra, as far as the gateway knows it: a configuration, and keys."""

    def __init__(self) -> None:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.url = ""

    def token(self, key: rsa.RSAPrivateKey | None = None, **claims: Any) -> str:
        """A token of the application app-7."""
        usual = {"iss": self.url, "aud": AUDIENCE, "exp": _NOW + timedelta(hours=1), "azp": "app-7"}
        header = {"kid": "key-1"}
        stated = {name: value for name, value in (usual | claims).items() if value is not None}
        return jwt.encode(stated, key or self._key, algorithm="RS256", headers=header)

    @asynccontextmanager
    async def listening(self) -> AsyncGenerator[Directory]:
        """Publish while the block runs."""
        app = web.Application()
        app.router.add_get("/configuration", self._configuration)
        app.router.add_get("/keys", self._keys)
        async with serving(app) as self.url:
            yield self

    async def _configuration(self, request: web.Request) -> web.Response:
        del request
        return web.json_response({"issuer": self.url, "jwks_uri": f"{self.url}/keys"})

    async def _keys(self, request: web.Request) -> web.Response:
        del request
        public = RSAAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        return web.json_response({"keys": [public | {"kid": "key-1", "alg": "RS256"}]})


def paid_by(data: UsageData) -> tuple[str, str | None]:
    """Tenant and subscription."""
    return data.tenant, data.subscription


@both_topologies
@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("api-key", KEY),
        ("Ocp-Apim-Subscription-Key", KEY),
        ("Authorization", f"Bearer {KEY}"),
        ("authorization", f"bearer  {KEY} "),
    ],
)
async def test_key_is_known_in_each_header_that_clients_use(
    evaluator: Evaluator, topology: Topology, header: str, value: str
) -> None:
    async with policy_world(evaluator, topology) as world:
        answer = await world.chat(headers={"api-key": "", header: value})
        assert answer.status == 200
        assert paid_by((await world.event()).data) == ("contoso", "sub-42")


async def test_keys_of_two_callers_are_nobodys(evaluator: Evaluator) -> None:
    async with policy_world(evaluator, values={"keys": TWO_KEYS}) as world:
        answer = await world.chat(headers={"Authorization": f"Bearer {OTHER_KEY}"})
        assert answer.status == 401
        assert paid_by((await world.event()).data) == ("unallocated", None)


@both_topologies
@pytest.mark.parametrize("key", ["subscription-key", None, "wrong"])
async def test_api_that_asks_for_a_key_knows_the_subscription_itself(
    evaluator: Evaluator, topology: Topology, key: str | None
) -> None:
    known = {"subscription-key": "sub-42"}
    async with policy_world(evaluator, topology, subscription_keys=known) as world:
        answer = await world.chat(headers={"api-key": key or ""})
        data = (await world.event()).data
    if key in known:
        assert (answer.status, paid_by(data)) == (200, ("contoso", "sub-42"))
        return
    assert (answer.status, answer.error["code"]) == (401, "invalid_api_key")
    assert answer.error["type"] == "authentication_error"
    assert (data.status, data.provenance, data.api) == (401, "none", "unknown")
    assert paid_by(data) == ("unallocated", None)
    assert (data.user, data.billing_code) == (None, None)


async def test_subscription_of_no_tenant_is_served_and_unallocated(evaluator: Evaluator) -> None:
    async with policy_world(evaluator, subscription_keys={"subscription-key": "sub-99"}) as world:
        answer = await world.chat(headers={"api-key": "subscription-key"})
        event = await world.event()
    assert answer.status == 200
    assert paid_by(event.data) == ("unallocated", "sub-99")
    assert event.subject == "unallocated/CC-1001"


@pytest.mark.parametrize("claim", ["azp", "appid"])
async def test_entra_application_of_a_tenant_pays(evaluator: Evaluator, claim: str) -> None:
    async with Directory().listening() as entra:
        claims: dict[str, Any] = {"azp": None, claim: "app-7"} if claim == "appid" else {}
        token = entra.token(**claims)
        answer, data = await with_token(evaluator, entra, token)
    assert answer == 200
    assert paid_by(data) == ("fabrikam", "app-7")


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "api://other"},
        {"iss": "https://elsewhere"},
        {"exp": _NOW - timedelta(hours=1)},
        {"azp": "app-8"},
        {"azp": ""},
    ],
)
async def test_token_that_is_not_for_this_gateway_is_refused(
    evaluator: Evaluator, claims: dict[str, Any]
) -> None:
    async with Directory().listening() as entra:
        answer, data = await with_token(evaluator, entra, entra.token(**claims))
    assert (answer, data.status, data.provenance) == (401, 401, "none")
    assert paid_by(data) == ("unallocated", None)


async def test_token_that_another_key_signed_is_refused(evaluator: Evaluator) -> None:
    async with Directory().listening() as entra:
        forged = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        answer, _ = await with_token(evaluator, entra, entra.token(forged))
    assert answer == 401


async def test_token_is_nothing_where_no_audience_is_set(evaluator: Evaluator) -> None:
    async with Directory().listening() as entra:
        answer, _ = await with_token(evaluator, entra, entra.token(), audience="none")
    assert answer == 401


async def with_token(
    evaluator: Evaluator, entra: Directory, token: str, audience: str = AUDIENCE
) -> tuple[int, UsageData]:
    """Status and event of a call with a token."""
    values = {
        "entra-audience": audience,
        "entra-openid-config": f"{entra.url}/configuration",
    }
    async with policy_world(evaluator, values=values) as world:
        answer = await world.chat(
            headers={"api-key": "", "Authorization": f"Bearer {token}"}, query={}
        )
        assert answer.status == 200 or answer.error["code"] == "invalid_api_key"
        return answer.status, (await world.event()).data


@both_topologies
@pytest.mark.parametrize(
    "query",
    [
        f"api-key={KEY}",
        f"subscription-key={KEY}",
        f"API-Key={KEY}",
        f"Subscription-Key={KEY}",
        f"%61pi-key={KEY}",
        "%75sername=alice&billing%43ode=CC-1001&usernames=x",
        "username=alice&billingCode=CC-1001&x=%26username=1",
    ],
)
async def test_neither_a_key_nor_a_claim_in_the_query_goes_on(
    evaluator: Evaluator, topology: Topology, query: str
) -> None:
    async with (
        answers({"usage": USAGE}).listening() as backend,
        policy_world(
            evaluator,
            topology,
            backend_url=backend.url,
            values={"proxy-url": f"{backend.url}/openai"},
        ) as world,
    ):
        url = URL(f"{world.url}/openai/v1/chat/completions?{query}", encoded=True)
        async with world.client.post(url, data=b"{}", headers={"api-key": KEY}) as answer:
            assert answer.status == 200
        (asked,) = backend.asked
    assert KEY not in asked.path_qs
    assert not {"username", "billingcode"} & {name.lower() for name in asked.query}
    assert KEY not in "".join(world.gateway.traces)
