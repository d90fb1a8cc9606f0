"""Azure credentials and clients."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Final, Protocol
from urllib.request import getproxies

from azure.core.credentials import AccessTokenInfo, AzureKeyCredential
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError
from azure.core.pipeline import PipelineRequest
from azure.eventgrid.aio import EventGridPublisherClient
from azure.eventhub import parse_connection_string
from azure.eventhub.aio import EventHubProducerClient
from azure.identity.aio import DefaultAzureCredential

OPENAI_SCOPE = "https://cognitiveservices.azure.com/.default"

# How long before its end a token is refreshed, if the identity service does not say.
_AHEAD_S: Final = 300.0
# A token that ends sooner is not given: the request must still arrive.
_MARGIN_S: Final = 15.0
# The service may give the same token again, and the next request must not ask at once.
_MIN_REFRESH_S: Final = 30.0
_FIRST_BACKOFF_S: Final = 5.0
_MAX_BACKOFF_S: Final = 60.0

RequestHook = Callable[[PipelineRequest[Any]], None]
_log: Final = logging.getLogger(__name__)


class TokenCredential(Protocol):
    """What is used of the async credentials of azure-identity."""

    async def get_token_info(self, *scopes: str) -> AccessTokenInfo:
        """A token for `scopes`.

        Raises:
            AzureError: There is none.
        """
        ...


class TokenCache:
    """Gives the token for one scope, at once while there is a valid one. Call it.

    A token is refreshed in the background ahead of its end, once at a time.

    Args:
        credential: Gives new tokens.
        scope: For what.
        now: The time of day, UTC.
    """

    def __init__(
        self, credential: TokenCredential, scope: str, now: Callable[[], datetime]
    ) -> None:
        self._credential = credential
        self._scope = scope
        self._now = now
        self._token = ""
        self._valid_until_s = self._refresh_at_s = 0.0
        self._backoff_s = _FIRST_BACKOFF_S
        self._refreshing: asyncio.Task[str] | None = None

    async def __call__(self) -> str:
        """A valid token.

        Raises:
            AzureError: There is none, and the identity service gave none.
        """
        now_s = self._now().timestamp()
        if now_s < self._valid_until_s:
            if now_s >= self._refresh_at_s:
                self._refresh()
            return self._token
        refreshing = self._refresh()
        await asyncio.wait({refreshing})  # a caller that is cancelled leaves it to the others
        if refreshing.cancelled():
            raise AzureError("the credential was closed")
        return refreshing.result()

    async def close(self) -> None:
        """Give up what is under way; the token that is there still serves."""
        if self._refreshing is not None:
            self._refreshing.cancel()
            await asyncio.wait({self._refreshing})

    def _refresh(self) -> asyncio.Task[str]:
        if self._refreshing is None:
            self._refreshing = asyncio.create_task(self._fetch())
            self._refreshing.add_done_callback(self._note_end)
        return self._refreshing

    async def _fetch(self) -> str:
        token = await self._credential.get_token_info(self._scope)
        now_s = self._now().timestamp()
        ahead_s = token.expires_on - _AHEAD_S if token.refresh_on is None else token.refresh_on
        self._token = token.token
        self._valid_until_s = token.expires_on - _MARGIN_S
        self._refresh_at_s = max(ahead_s, now_s + _MIN_REFRESH_S)
        self._backoff_s = _FIRST_BACKOFF_S
        return token.token

    def _note_end(self, refreshing: asyncio.Task[str]) -> None:
        self._refreshing = None
        if refreshing.cancelled():
            return
        if (error := refreshing.exception()) is not None:
            _log.warning("no new token for %s: %s", self._scope, type(error).__name__)
            self._refresh_at_s = self._now().timestamp() + self._backoff_s
            self._backoff_s = min(2 * self._backoff_s, _MAX_BACKOFF_S)


class Identity:
    """This process's Entra identity: managed in Azure, a developer's on a desk.

    Args:
        now: The time of day, UTC.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._credential = DefaultAzureCredential()
        self._now = now
        self._caches: dict[str, TokenCache] = {}

    def token_provider(self, scope: str) -> Callable[[], Awaitable[str]]:
        """A function that gives a token for `scope`; it is cached and refreshed ahead."""
        if scope not in self._caches:
            self._caches[scope] = TokenCache(self._credential, scope, self._now)
        return self._caches[scope]

    def eventgrid_client(self, endpoint: str, on_request: RequestHook) -> EventGridPublisherClient:
        """A client of an Event Grid topic that signs in with this identity.

        Args:
            endpoint: The topic's.
            on_request: Sees each request before it is sent.
        """
        return _eventgrid_client(endpoint, self._credential, on_request)

    def eventhub_client(self, namespace: str, hub: str) -> EventHubProducerClient:
        """A client of an event hub that signs in with this identity.

        Args:
            namespace: The host name of its namespace.
            hub: Its name.
        """
        return EventHubProducerClient(namespace, hub, self._credential)

    async def close(self) -> None:
        """Close the connections to the identity service."""
        for cache in self._caches.values():
            await cache.close()
        await self._credential.close()


def eventgrid_client_with_key(
    endpoint: str, key: str, on_request: RequestHook
) -> EventGridPublisherClient:
    """A client of an Event Grid topic that signs in with the topic's key; else as above."""
    return _eventgrid_client(endpoint, AzureKeyCredential(key), on_request)


def _eventgrid_client(
    endpoint: str, credential: AzureKeyCredential | AsyncTokenCredential, on_request: RequestHook
) -> EventGridPublisherClient:
    # Where no proxy is set, nobody need look for one: that takes a thread, for each request anew.
    return EventGridPublisherClient(
        endpoint, credential, raw_request_hook=on_request, use_env_settings=bool(getproxies())
    )


def eventhub_client_with_key(connection: str, hub: str) -> EventHubProducerClient:
    """A client of an event hub that signs in with the key in a connection string."""
    return EventHubProducerClient.from_connection_string(connection, eventhub_name=hub)


def hub_of_connection_string(connection: str) -> str | None:
    """The hub that a connection string of Event Hubs names, if it names one.

    Raises:
        ValueError: It is no connection string; the message has nothing of it.
    """
    return parse_connection_string(connection).eventhub_name
