"""Sends requests to backends over HTTP, with aiohttp."""

from __future__ import annotations

import asyncio
from io import BytesIO
from types import SimpleNamespace
from typing import Final

import aiohttp
from yarl import URL

from tollgate.proxy.messages import Headers
from tollgate.proxy.ports import BackendFailed, UpstreamRequest

# A stream that says nothing for so long is dead: load balancers cut idle connections at 4 minutes.
_SILENCE_TIMEOUT_S: Final = 240.0
_CONNECT_TIMEOUT_S: Final = 5.0
# Longer bodies are written in pieces, so that other requests get their turn.
_PIECEWISE_BYTES: Final = 1024 * 1024


# How a connection ends that the other side had closed while it was idle.
_DROPPED: Final = (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError, ConnectionResetError)


class HttpUpstream:
    """A pool of connections; close it when done. Belongs to one event loop.

    Args:
        connect_timeout_s: How long a connection may take.
        silence_timeout_s: How long a backend may pause.
    """

    def __init__(
        self,
        connect_timeout_s: float = _CONNECT_TIMEOUT_S,
        silence_timeout_s: float = _SILENCE_TIMEOUT_S,
    ) -> None:
        self._silence_timeout_s = silence_timeout_s
        self._timeout = aiohttp.ClientTimeout(
            total=None, sock_connect=connect_timeout_s, sock_read=silence_timeout_s
        )
        self._session = self._open_session(aiohttp.TCPConnector(limit=0))
        self._fresh = self._open_session(aiohttp.TCPConnector(limit=0, force_close=True))

    def _open_session(self, connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
        tracing = aiohttp.TraceConfig()
        tracing.on_connection_reuseconn.append(_note_reuse)
        return aiohttp.ClientSession(
            connector=connector,
            timeout=self._timeout,
            auto_decompress=True,
            cookie_jar=aiohttp.DummyCookieJar(),
            trace_configs=[tracing],
        )

    async def send(self, request: UpstreamRequest) -> HttpAnswer:
        """Send once, or again if the connection was an old one that the backend had closed.

        Raises:
            BackendFailed: The backend could not be reached, or broke off before its headers.
        """
        connection = _Connection()
        try:
            try:
                response = await _post(self._session, request, connection)
            except _DROPPED as error:
                if not connection.reused or not _is_unanswered(error):
                    raise
                response = await _post(self._fresh, request, connection)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise BackendFailed(f"cannot connect: {type(error).__name__}") from None
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            reason = f"broke off before its answer: {type(error).__name__}"
            raise BackendFailed(reason, may_have_cost=True) from None
        return HttpAnswer(response, self._silence_timeout_s)

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()
        await self._fresh.close()


class _Connection:
    """What becomes known of the connection of one request."""

    reused = False


async def _note_reuse(
    _session: object, context: SimpleNamespace, _params: aiohttp.TraceConnectionReuseconnParams
) -> None:
    context.trace_request_ctx.reused = True


async def _post(
    session: aiohttp.ClientSession, request: UpstreamRequest, connection: _Connection
) -> aiohttp.ClientResponse:
    body = request.body
    return await session.post(
        URL(request.url, encoded=True),
        data=body if len(body) <= _PIECEWISE_BYTES else BytesIO(body),
        headers=request.headers,
        allow_redirects=False,
        trace_request_ctx=connection,
    )


def _is_unanswered(error: Exception) -> bool:
    """Whether not even a part of the headers had come; aiohttp keeps that as the message."""
    return not isinstance(error, aiohttp.ServerDisconnectedError) or isinstance(error.message, str)


class HttpAnswer:
    """An answer whose body is still to be read."""

    def __init__(self, response: aiohttp.ClientResponse, silence_timeout_s: float) -> None:
        self._response = response
        self._silence_timeout_s = silence_timeout_s
        self.status = response.status
        self.headers: Headers = tuple(
            (name.decode("latin-1").lower(), value.decode("latin-1"))
            for name, value in response.raw_headers
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
            BackendFailed: The connection broke, or stays silent.
        """
        try:
            # aiohttp's own timeout does not wake who waits when a chunk is malformed
            async with asyncio.timeout(self._silence_timeout_s):
                return await self._response.content.readany()
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            reason = f"broke its answer off: {type(error).__name__}"
            raise BackendFailed(reason, may_have_cost=True) from None

    def close(self) -> None:
        """Give the connection back if the body was read to its end, else give it up."""
        if self._response.content.at_eof():
            self._response.release()
        else:
            self._response.close()
