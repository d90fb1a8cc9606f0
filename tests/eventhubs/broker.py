"""An Event Hubs namespace on this machine, for the real SDK: AMQP 1.0 over TCP on the loopback.

It speaks SASL ANONYMOUS, `$cbs`, `$management`, and sends and reads of hubs with partitions, keys,
batches, owner levels, filters and credit. It is not Event Hubs: it keeps everything in memory and
for ever, takes any token, and places a partition key by a hash of its own.
"""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final, Self

from eventhubs.amqp_types import Symbol
from eventhubs.connection import Connection
from eventhubs.faults import Faults
from eventhubs.hub import StoredEvent
from eventhubs.messages import ANNOTATIONS, DATA, PARTITION_KEY, section
from eventhubs.namespace import Namespace

HOST: Final = "127.0.0.1"
MEGABYTE: Final = 1024 * 1024
_PATIENCE_S: Final = 10


class Broker:
    """A namespace that runs in a thread of its own. Use as a context manager.

    Args:
        hubs: The hubs, and how many partitions each has.
        max_message_bytes: Of a message, batches included.
        port: Where it listens; 0 for any free port.
        tls: Speak TLS with this; else none.

    Attributes:
        faults: What it does wrong next.
        port: Where it listens.
    """

    def __init__(
        self,
        hubs: Mapping[str, int],
        *,
        max_message_bytes: int = MEGABYTE,
        port: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.port = port
        self._namespace = Namespace(hubs, max_message_bytes)
        self.faults: Faults = self._namespace.faults
        self._tls = tls
        self._connections: set[Connection] = set()
        self._loop = asyncio.new_event_loop()
        self._listens = threading.Event()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._listens.wait(_PATIENCE_S):
            raise TimeoutError("the broker does not start")
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(_PATIENCE_S)

    def connection_string(self, hub: str | None = None) -> str:
        """For the SDK; in clear, which the SDK allows for an emulator only."""
        parts = {
            "Endpoint": f"sb://{HOST}:{self.port}",
            "SharedAccessKeyName": "test",
            "SharedAccessKey": "dGVzdA==",
            "UseDevelopmentEmulator": "true",
            **({"EntityPath": hub} if hub else {}),
        }
        return ";".join(f"{name}={value}" for name, value in parts.items())

    def events(self, hub: str) -> list[StoredEvent]:
        """What is stored, partition by partition."""
        return self._namespace.hubs[hub].events

    @property
    def messages(self) -> int:
        """How many messages came to hubs, refused or not."""
        return self._namespace.messages

    @property
    def tokens(self) -> list[tuple[str, str]]:
        """The tokens that were put, and for whom."""
        return self._namespace.services.tokens

    def put(self, hub: str, body: bytes, *, partition: str, key: str | None = None) -> None:
        """Store an event as if it had been sent."""
        annotations = {Symbol(PARTITION_KEY): key} if key else {}
        message = section(ANNOTATIONS, annotations) + section(DATA, body)
        self._call(lambda: self._namespace.store(hub, partition, message))

    def clear(self) -> None:
        """Forget all that was stored, put and counted, and the faults to come."""
        self._call(self._namespace.clear)

    def drop_connections(self) -> None:
        """Break every connection off."""
        self._call(lambda: [connection.drop() for connection in self._connections])

    def _call(self, work: Callable[[], object]) -> None:
        """Do it in the broker's thread, and wait until it is done."""
        done = threading.Event()

        def run() -> None:
            work()
            done.set()

        self._loop.call_soon_threadsafe(run)
        if not done.wait(_PATIENCE_S):
            raise TimeoutError("the broker does not answer")

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve_until_stopped())

    async def _serve_until_stopped(self) -> None:
        server = await asyncio.start_server(self._serve, HOST, self.port, ssl=self._tls)
        self.port = server.sockets[0].getsockname()[1]
        self._listens.set()
        await self._stop.wait()
        server.close()
        for connection in self._connections:
            connection.drop()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(self._namespace, reader, writer)
        self._connections.add(connection)
        with suppress(asyncio.CancelledError):
            await connection.serve()
        self._connections.discard(connection)
