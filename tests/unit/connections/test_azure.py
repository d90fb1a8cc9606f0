"""Tokens: given at once, refreshed ahead, by one call at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import datetime, timedelta

import pytest
from azure.core.credentials import AccessTokenInfo
from azure.core.exceptions import AzureError, ClientAuthenticationError
from builders import NOON

from tollgate.connections.azure import Identity, TokenCache, eventgrid_client_with_key

HOUR_S = 3600


class FakeIdentityService:
    """Gives numbered tokens that are valid for an hour, or fails; owns the clock."""

    def __init__(self) -> None:
        self.now = NOON
        self.given = 0
        self.asked = 0
        self.failure: Exception | None = None
        self.refresh_after_s: int | None = None
        self.open = asyncio.Event()
        self.open.set()

    def clock(self) -> datetime:
        return self.now

    def pass_s(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    async def get_token_info(self, *scopes: str) -> AccessTokenInfo:
        assert scopes == ("scope",)
        self.asked += 1
        await self.open.wait()
        if self.failure is not None:
            raise self.failure
        self.given += 1
        now_s = int(self.now.timestamp())
        after_s = self.refresh_after_s
        refresh_on = None if after_s is None else now_s + after_s
        return AccessTokenInfo(f"token {self.given}", now_s + HOUR_S, refresh_on=refresh_on)


@pytest.fixture
def service() -> FakeIdentityService:
    return FakeIdentityService()


@pytest.fixture
def cache(service: FakeIdentityService) -> TokenCache:
    return TokenCache(service, "scope", service.clock)


def at_once(call: Coroutine[None, None, str]) -> str:
    """What a call gives that waits for nothing."""
    try:
        call.send(None)
    except StopIteration as done:
        return done.value
    call.close()
    raise AssertionError("it waits")


async def background() -> None:
    """Let what runs in the background come to its end."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_valid_token_is_given_at_once(
    cache: TokenCache, service: FakeIdentityService
) -> None:
    assert await cache() == "token 1"
    service.pass_s(HOUR_S - 301)
    assert at_once(cache()) == "token 1"
    await background()
    assert service.asked == 1


async def test_many_that_wait_ask_once(cache: TokenCache, service: FakeIdentityService) -> None:
    assert await asyncio.gather(*[cache() for _ in range(50)]) == ["token 1"] * 50
    assert service.asked == 1


async def test_one_that_leaves_does_not_end_it_for_the_others(
    cache: TokenCache, service: FakeIdentityService
) -> None:
    service.open.clear()
    first, second = asyncio.create_task(cache()), asyncio.create_task(cache())
    await background()
    first.cancel()
    await background()
    service.open.set()
    assert await second == "token 1"
    assert first.cancelled()


@pytest.mark.parametrize(("refresh_after_s", "due_s"), [(None, HOUR_S - 300), (600, 600)])
async def test_it_is_refreshed_ahead_while_the_old_one_serves(
    cache: TokenCache, service: FakeIdentityService, refresh_after_s: int | None, due_s: int
) -> None:
    service.refresh_after_s = refresh_after_s
    await cache()
    service.pass_s(due_s - 1)
    await cache()
    await background()
    assert service.asked == 1
    service.pass_s(1)
    assert [at_once(cache()) for _ in range(3)] == ["token 1"] * 3
    await background()
    assert at_once(cache()) == "token 2"
    assert service.asked == 2


async def test_a_token_that_is_always_due_is_not_always_asked_for(
    cache: TokenCache, service: FakeIdentityService
) -> None:
    service.refresh_after_s = -1
    for _ in range(5):
        await cache()
        await background()
    assert service.asked == 1
    service.pass_s(30)
    await cache()
    await background()
    assert service.asked == 2


async def test_a_failed_refresh_is_tried_again_later_and_later(
    cache: TokenCache, service: FakeIdentityService, caplog: pytest.LogCaptureFixture
) -> None:
    await cache()
    service.pass_s(HOUR_S - 300)
    service.failure = ClientAuthenticationError("with a secret")
    asked_at: list[int] = []
    for second in range(200):
        before = service.asked
        assert at_once(cache()) == "token 1"
        await background()
        if service.asked > before:
            asked_at.append(second)
        service.pass_s(1)
    assert asked_at == [0, 5, 15, 35, 75, 135, 195]
    assert "ClientAuthenticationError" in caplog.text
    assert "secret" not in caplog.text
    service.failure = None
    service.pass_s(60)
    await cache()
    await background()
    assert at_once(cache()) == "token 2"


async def test_without_a_valid_token_a_failure_is_told_to_all(
    cache: TokenCache, service: FakeIdentityService
) -> None:
    await cache()
    service.pass_s(HOUR_S - 10)
    service.failure = ClientAuthenticationError("no")
    results = await asyncio.gather(*[cache() for _ in range(3)], return_exceptions=True)
    assert [type(result) for result in results] == [ClientAuthenticationError] * 3
    assert service.asked == 2
    service.failure = None
    assert await cache() == "token 2"


async def test_a_closed_cache_leaves_nobody_waiting(
    cache: TokenCache, service: FakeIdentityService
) -> None:
    service.open.clear()
    waiting = asyncio.create_task(cache())
    await background()
    await cache.close()
    with pytest.raises(AzureError, match="closed"):
        await waiting
    await cache.close()


async def test_an_identity_has_one_provider_for_each_scope() -> None:
    identity = Identity(lambda: NOON)
    assert identity.token_provider("a") is identity.token_provider("a")
    assert identity.token_provider("a") is not identity.token_provider("b")
    await identity.eventgrid_client("https://topic.invalid/api/events", _ignore).close()
    hub = identity.eventhub_client("ns.servicebus.invalid", "usage")
    assert hub.eventhub_name == "usage"
    await hub.close()
    await identity.close()


async def test_a_topic_can_be_opened_with_its_key() -> None:
    await eventgrid_client_with_key("https://topic.invalid/api/events", "key", _ignore).close()


def _ignore(_request: object) -> None:
    """Let the request be as it is."""
