"""A ledger on a real Redis with TLS, where an Entra ID identity signs in with tokens that age."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from builders import NOON
from ledgers import measured
from redis import Redis
from redis.auth.err import RequestTokenErr
from redis.auth.idp import IdentityProviderInterface
from redis.auth.token import SimpleToken
from servers import free_port, redis_binary, running

from tollgate.connections.redis import open_redis, open_redis_sync
from tollgate.connections.redis_entra import EntraCredentials
from tollgate.errors import StoreUnavailable
from tollgate.ledger.redis_ledger import RedisLedger
from tollgate.ledger.redis_reader import RedisReader

pytest_plugins = ["servers", "certificates"]

OBJECT_ID = "3f0c0000-0000-4000-8000-000000000001"


class EntraId(IdentityProviderInterface):
    """Gives tokens, and tells the server which one is good, as Azure's Redis knows by itself."""

    def __init__(self, admin: Any, life_s: float = 3_600) -> None:
        self.admin, self.life_s, self.given, self.fails = admin, life_s, list[str](), False

    def request_token(self, force_refresh: bool = False) -> SimpleToken:  # noqa: FBT001, FBT002  redis-py's
        if self.fails:
            raise RequestTokenErr("the identity service is away")
        if force_refresh or not self.given:
            self.given.append(f"token-{len(self.given)}")
            rules = ("on", "resetpass", f">{self.given[-1]}", "~*", "&*", "+@all")
            self.admin.execute_command("ACL", "SETUSER", OBJECT_ID, *rules)
        now_ms = time.time() * 1000  # noqa: TID251  redis-py reads this clock, too
        ends_ms = now_ms + self.life_s * 1000
        return SimpleToken(self.given[-1], ends_ms, now_ms, {"oid": OBJECT_ID})


class Stage:
    """A Redis that only knows the identity, beside an administrator without TLS."""

    def __init__(self, url: str, admin: Any) -> None:
        self.url, self.admin = url, admin
        self.identity = EntraId(admin)

    def credentials(self) -> EntraCredentials:
        return EntraCredentials(self.identity, renew_before_end_ms=0)

    def signed_in_again(self) -> int:
        """How often an open connection did; a new one does it within its HELLO."""
        return self.admin.info("commandstats").get("cmdstat_auth", {"calls": 0})["calls"]


@pytest.fixture
def stage(certificate: Path, known_name: str) -> Iterator[Stage]:
    files = (
        "--tls-cert-file",
        str(certificate),
        "--tls-key-file",
        str(certificate),
    )
    port = free_port()
    with running(
        redis_binary(), "--tls-port", str(port), "--tls-auth-clients", "no", *files
    ) as plain:
        admin: Any = Redis.from_url(plain, username="admin", password="x")  # pyright: ignore[reportUnknownMemberType]  types of redis-py
        with open_redis_sync(plain) as first:
            first.execute_command("ACL", "SETUSER", "admin", "on", ">x", "~*", "&*", "+@all")  # pyright: ignore[reportUnknownMemberType]  same
            first.execute_command("ACL", "SETUSER", "default", "off")  # pyright: ignore[reportUnknownMemberType]  same
        with admin:
            query = f"auth=entra&ssl_ca_certs={certificate}"
            yield Stage(f"rediss://{known_name}:{port}?{query}", admin)


async def test_an_identity_writes_and_reads(stage: Stage) -> None:
    async with open_redis(stage.url, stage.credentials) as redis:
        assert await RedisLedger(redis).apply([measured()], now=NOON) == ["applied"]
    assert await asyncio.to_thread(tenants, stage) == ["contoso"]
    assert OBJECT_ID in str(stage.admin.acl_list())


def tenants(stage: Stage) -> list[str]:
    with open_redis_sync(stage.url, stage.credentials) as redis:
        return RedisReader(redis).tenants()


async def test_an_open_connection_signs_in_again_with_each_new_token(stage: Stage) -> None:
    stage.identity.life_s = 0.5
    async with open_redis(stage.url, stage.credentials) as redis:
        ledger = RedisLedger(redis)
        for number in range(100):
            await ledger.apply([measured(f"{number}")], now=NOON)
            if stage.signed_in_again() >= 2:
                break
            await asyncio.sleep(0.05)
        assert stage.signed_in_again() >= 2
        assert stage.admin.info("stats")["total_connections_received"] <= 4
        assert len(stage.identity.given) >= 3


async def test_an_identity_service_that_is_away_is_unavailable_and_later_not(stage: Stage) -> None:
    stage.identity.fails = True
    async with open_redis(stage.url, stage.credentials) as redis:
        ledger = RedisLedger(redis)
        with pytest.raises(StoreUnavailable, match="no Entra ID token for Redis"):
            await ledger.apply([measured()], now=NOON)
        stage.identity.fails = False
        assert await ledger.apply([measured()], now=NOON) == ["applied"]


def test_a_reader_without_a_token_is_unavailable(stage: Stage) -> None:
    stage.identity.fails = True
    with pytest.raises(StoreUnavailable, match="no Entra ID token for Redis"):
        tenants(stage)


async def test_a_wrong_certificate_is_refused(stage: Stage) -> None:
    without_authority = stage.url.partition("&ssl_ca_certs")[0]
    async with open_redis(without_authority, stage.credentials) as redis:
        with pytest.raises(StoreUnavailable, match="certificate"):
            await RedisLedger(redis).apply([measured()], now=NOON)
