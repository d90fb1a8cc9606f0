"""Sends requests to backends over HTTP, with aiohttp."""

from __future__ import annotations

from typing import Final

import aiohttp
from yarl import URL

from tollgate.proxy.messages import Headers
from tollgate.proxy.ports import BackendFailed, UpstreamRequest

# A stream that says nothing for so long is dead: load balancers cut idle connections at 4 minutes.
_SILENCE_TIMEOUT_S: Final = 240
_CONNECT_TIMEOUT_S: Final = 5
_CHUNK_BYTES: Final = 64 * 1024


class HttpUpstream:
    """A pool of connections; close it when done. Belongs to one event loop."""

    def __init__(self) -> None:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(
                total=None, sock_connect=_CONNECT_TIMEOUT_S, sock_read=_SILENCE_TIMEOUT_S
            ),
            auto_decompress=True,
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def send(self, request: UpstreamRequest) -> HttpAnswer:
        """Send once.

        Raises:
            BackendFailed: The backend could not be reached, or broke off before its headers.
        """
        try:
            response = await self._session.post(
                URL(request.url, encoded=True),
                data=request.body,
                headers=request.headers,
                allow_redirects=False,
            )
        except aiohttp.ClientConnectorError as error:
            raise BackendFailed(f"cannot connect: {type(error).__name__}") from None
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            reason = f"broke off before its answer: {type(error).__name__}"
            raise BackendFailed(reason, may_have_cost=True) from None
        return HttpAnswer(response)

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()


class HttpAnswer:
    """An answer whose body is still to be read."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self.status = response.status
        self.headers: Headers = tuple(
            (name.lower(), value) for name, value in response.headers.items()
        )

    async def read(self, max_bytes: int) -> bytes:
        """The whole body.

        Raises:
            BackendFailed: The connection broke, or the body is longer than `max_bytes`.
        """
        body = bytearray()
        while chunk := await self.next_chunk():
            body += chunk
            if len(body) > max_bytes:
                raise BackendFailed(f"answered more than {max_bytes} bytes", may_have_cost=True)
        return bytes(body)

    async def next_chunk(self) -> bytes:
        """The next bytes, empty at the end.

        Raises:
            BackendFailed: The connection broke.
        """
        try:
            return await self._response.content.readany()
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            reason = f"broke its answer off: {type(error).__name__}"
            raise BackendFailed(reason, may_have_cost=True) from None

    def close(self) -> None:
        """Give the connection back if the body was read to its end, else give it up."""
        self._response.close() if not self._response.content.at_eof() else self._response.release()
