"""An answer of a backend whose body is still to be read."""

from __future__ import annotations

from typing import Protocol

from tollgate.proxy.messages import Headers
from tollgate.proxy.ports import BackendFailed
from tollgate.proxy.upstream_connection import BackendConnection
from tollgate.proxy.upstream_decoding import decoding_of
from tollgate.proxy.upstream_head import Origin


class GivesBack(Protocol):
    """Keeps connections."""

    def give_back(self, origin: Origin, connection: BackendConnection) -> None:
        """Take a connection back."""
        ...


class HttpAnswer:
    """See `UpstreamAnswer`; one task reads it.

    Args:
        connection: On which the answer's head has come.
        origin: Where it leads to.
        pool: Takes the connection back when the answer is closed.

    Raises:
        ValueError: The body has an encoding that was not asked for.
    """

    __slots__ = ("_connection", "_decoding", "_origin", "_pool", "fields", "headers", "status")

    def __init__(self, connection: BackendConnection, origin: Origin, pool: GivesBack) -> None:
        self._connection: BackendConnection | None = connection
        self._origin = origin
        self._pool = pool
        self.status = connection.answer.status
        self.headers: Headers = connection.answer.headers
        self.fields = connection.answer.fields
        encoding = self.fields.get("content-encoding")
        self._decoding = None if encoding is None else decoding_of(encoding)

    async def read(self, max_bytes: int) -> bytes:
        """The whole body.

        Raises:
            BackendFailed: The connection broke, or the body is longer than `max_bytes`.
        """
        connection = self._connection
        if connection is not None and self._decoding is None and connection.answer.complete:
            body = connection.take()  # as most are: all of it has come with its head
            if len(body) <= max_bytes:
                return body
            raise _too_long(max_bytes)
        body = await self.next_chunk()
        if not body:
            return body
        chunks = [body]
        length = len(body)
        while length <= max_bytes:
            chunk = await self.next_chunk()
            if not chunk:
                return body if len(chunks) == 1 else b"".join(chunks)
            chunks.append(chunk)
            length += len(chunk)
        raise _too_long(max_bytes)

    async def next_chunk(self) -> bytes:
        """All that is here, empty at the end; does not wait if there is anything.

        Raises:
            BackendFailed: The connection broke, or stays silent, or the answer was closed.
        """
        connection = self._connection
        if connection is None:
            raise _broken_off("it was closed")
        while not (chunk := self._here(connection)):
            if connection.answer.complete:
                return b""
            if connection.broken:
                raise _broken_off(connection.broken)
            await connection.changed()
        return chunk

    def close(self) -> None:
        """Give the connection back if all of the answer is here, else give it up."""
        connection, self._connection = self._connection, None
        if connection is not None:
            self._pool.give_back(self._origin, connection)

    def _here(self, connection: BackendConnection) -> bytes:
        decoding = self._decoding
        if decoding is None:
            return connection.take()
        try:
            piece = decoding.next_piece()
            while not piece and (encoded := connection.take()):
                decoding.feed(encoded)
                piece = decoding.next_piece()
            if not piece and connection.answer.complete:
                decoding.check_end()
        except ValueError as error:
            raise _broken_off(str(error)) from None
        return piece


def _too_long(max_bytes: int) -> BackendFailed:
    return BackendFailed(f"answered more than {max_bytes} bytes", may_have_cost=True)


def _broken_off(reason: str) -> BackendFailed:
    return BackendFailed(f"broke its answer off: {reason}", may_have_cost=True)
