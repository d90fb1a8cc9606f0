"""Azure credentials and clients."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from azure.core.credentials import AzureKeyCredential
from azure.eventgrid.aio import EventGridPublisherClient
from azure.identity.aio import DefaultAzureCredential, get_bearer_token_provider

OPENAI_SCOPE = "https://cognitiveservices.azure.com/.default"


class Identity:
    """This process's Entra identity: managed in Azure, a developer's on a desk."""

    def __init__(self) -> None:
        self._credential = DefaultAzureCredential()

    def token_provider(self, scope: str) -> Callable[[], Awaitable[str]]:
        """A function that gives a token for `scope`; it is cached and refreshed ahead."""
        return get_bearer_token_provider(self._credential, scope)

    def eventgrid_client(self, endpoint: str) -> EventGridPublisherClient:
        """A client of an Event Grid topic that signs in with this identity."""
        return EventGridPublisherClient(endpoint, self._credential)

    async def close(self) -> None:
        """Close the connections to the identity service."""
        await self._credential.close()


def eventgrid_client_with_key(endpoint: str, key: str) -> EventGridPublisherClient:
    """A client of an Event Grid topic that signs in with the topic's key."""
    return EventGridPublisherClient(endpoint, AzureKeyCredential(key))
