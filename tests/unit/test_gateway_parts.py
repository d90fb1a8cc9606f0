from __future__ import annotations

import pytest
from azure.core.exceptions import ClientAuthenticationError

from tollgate.gateway_parts import ApiKey, BearerToken
from tollgate.proxy.ports import BackendFailed


async def test_credentials_become_headers() -> None:
    async def token() -> str:
        return "t"

    assert await ApiKey("k").headers() == {"api-key": "k"}
    assert await BearerToken(token).headers() == {"authorization": "Bearer t"}


async def test_an_identity_service_that_gives_no_token_fails_the_backend_only() -> None:
    async def token() -> str:
        raise ClientAuthenticationError("no token: s3cret")

    with pytest.raises(BackendFailed, match=r"^no token: ClientAuthenticationError$"):
        await BearerToken(token).headers()
