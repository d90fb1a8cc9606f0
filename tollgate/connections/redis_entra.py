"""Signs in to Azure Managed Redis with an Entra ID identity; tokens are renewed as they age."""

from __future__ import annotations

import asyncio
from typing import Final

from azure.identity import DefaultAzureCredential
from redis.auth.err import RequestTokenErr
from redis.auth.idp import IdentityProviderInterface
from redis.auth.token_manager import RetryPolicy, TokenManagerConfig
from redis.exceptions import ConnectionError as RedisConnectionError
from redis_entraid.cred_provider import EntraIdCredentialsProvider
from redis_entraid.identity_provider import DefaultAzureCredentialProvider

REDIS_SCOPE: Final = "https://redis.azure.com/.default"

_RENEW_AT: Final = 0.7  # of a token's life
_RENEW_BEFORE_END_MS: Final = 180_000  # as Azure asks
_ATTEMPTS: Final = 3
_BETWEEN_ATTEMPTS_MS: Final = 500


class EntraCredentials(EntraIdCredentialsProvider):
    """Gives an identity's object id as the user and its token as the password.

    Open connections sign in again with each new token. It serves one client alone.

    Args:
        identity: Gives tokens. Its calls block, so they are made in a thread where a loop runs.
        renew_before_end_ms: How long before a token's end the next one is fetched, at the latest.
    """

    def __init__(
        self,
        identity: IdentityProviderInterface,
        renew_before_end_ms: int = _RENEW_BEFORE_END_MS,
    ) -> None:
        retries = RetryPolicy(_ATTEMPTS, _BETWEEN_ATTEMPTS_MS)
        super().__init__(identity, TokenManagerConfig(_RENEW_AT, renew_before_end_ms, 0, retries))
        self._identity = identity

    def get_credentials(self) -> tuple[str] | tuple[str, str]:
        """The user and the password.

        Raises:
            redis.exceptions.ConnectionError: There is no token now; try again.
        """
        try:
            return super().get_credentials()
        except RequestTokenErr as error:
            raise _no_token(error) from error

    async def get_credentials_async(self) -> tuple[str] | tuple[str, str]:
        """The same on an event loop, which the identity service does not hold up."""
        try:
            await asyncio.to_thread(self._identity.request_token)  # it keeps what it fetched
            return await super().get_credentials_async()
        except RequestTokenErr as error:
            raise _no_token(error) from error


def entra_credentials() -> EntraCredentials:
    """This process's identity: managed in Azure, a developer's on a desk."""
    return EntraCredentials(
        DefaultAzureCredentialProvider(DefaultAzureCredential(), (REDIS_SCOPE,))
    )


def _no_token(error: RequestTokenErr) -> RedisConnectionError:
    return RedisConnectionError(f"no Entra ID token for Redis: {type(error.__context__).__name__}")
