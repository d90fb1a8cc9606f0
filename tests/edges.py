"""Raw clients before the gateway as it runs in production, and what the topic hears of them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
from proxying import BACKEND_KEY, KEY
from topics import PATH, TOPIC_KEY, Topic
from whole_gateways import MINI, REGIONS, simulated, write_settings

from tollgate.composition import GatewayRuntime
from tollgate.local.http import LocalSite, serving_gateway
from tollgate.local.servers import serving
from tollgate.local.simulator import SimulatedRegion
from tollgate.local.simulator.faults import Fault
from tollgate.local.simulator.request_log import LogEntry
from tollgate.proxy.client_bounds import ConnectionBounds
from tollgate.settings import load_settings, read_environment

CHAT: Final = "/openai/v1/chat/completions?companyName=contoso&billingCode=CC-1001"
_LENGTH: Final = re.compile(rb"content-length: (\d+)")


DEFAULT: Final = ConnectionBounds()
HASTY: Final = ConnectionBounds(head_timeout_s=0.3, send_timeout_s=0.3)


class Edge(NamedTuple):
    """What runs."""

    port: int
    regions: Mapping[str, SimulatedRegion]
    topic: Topic

    @property
    def asked(self) -> list[LogEntry]:
        """What the regions were asked, in the order of time."""
        entries = [entry for region in self.regions.values() for entry in region.log]
        return sorted(entries, key=lambda entry: entry.at)

    def befall(self, fault: Fault) -> None:
        """Whichever region is asked misbehaves."""
        for region in self.regions.values():
            region.faults.add(fault)

    async def told(self, count: int = 1) -> list[dict[str, Any]]:
        """The `data` of the events, once there are so many; there are no more."""
        events = await self.topic.received(count)
        assert len(events) == count
        return [event["data"] for event in events]

    @asynccontextmanager
    async def connected(self, read_bytes: int = 2**16) -> AsyncGenerator[Connection]:
        """A connection; it is cut at the end."""
        opened = await asyncio.open_connection("127.0.0.1", self.port, limit=read_bytes)
        try:
            yield Connection(*opened)
        finally:
            opened[1].transport.abort()

    async def ask(self, *parts: bytes) -> bytes:
        """Everything that is said to these bytes, until the connection is closed."""
        async with self.connected() as connection:
            connection.send(*parts)
            return await connection.rest()


class Connection:
    """A raw one."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def send(self, *parts: bytes) -> None:
        """Send bytes."""
        self.writer.write(b"".join(parts))

    async def rest(self) -> bytes:
        """All that is said until the end."""
        async with asyncio.timeout(10):
            return await self.reader.read()

    async def until(self, text: bytes) -> bytes:
        """What is said until then."""
        async with asyncio.timeout(10):
            return await self.reader.readuntil(text)

    async def answer(self) -> tuple[int, bytes]:
        """Status and body of the next answer, which has a length."""
        head = await self.until(b"\r\n\r\n")
        found = _LENGTH.search(head)
        assert found
        async with asyncio.timeout(10):
            return int(head.split()[1]), await self.reader.readexactly(int(found[1]))


def chat(prompt: str = "Say hi", **members: Any) -> bytes:
    """The body of a call."""
    messages = [{"role": "user", "content": prompt}]
    return msgspec.json.encode({"model": MINI, "messages": messages, **members})


def head(*headers: str, path: str = CHAT, closes: bool = True) -> bytes:
    """The head of a call, without a length."""
    connection = ["connection: close"] if closes else []
    lines = [f"POST {path} HTTP/1.1", "host: x", f"api-key: {KEY}", *connection, *headers]
    return "".join(f"{line}\r\n" for line in lines).encode("latin-1") + b"\r\n"


def call(body: bytes, *headers: str, path: str = CHAT, closes: bool = True) -> bytes:
    """A whole call."""
    return head(f"content-length: {len(body)}", *headers, path=path, closes=closes) + body


def error_of(answer: bytes) -> tuple[int, str]:
    """Status and code of the one answer that there is."""
    status, _, body = answer.partition(b"\r\n\r\n")
    return int(status.split()[1]), msgspec.json.decode(body)["error"]["code"]


@asynccontextmanager
async def edge(
    folder: Path, bounds: ConnectionBounds = DEFAULT, **sections: Any
) -> AsyncGenerator[Edge]:
    """The gateway, its regions and its topic; `sections` change tollgate.yaml."""
    async with simulated() as regions, _before(folder, regions, bounds, sections) as made:
        yield made


@asynccontextmanager
async def edge_before(
    folder: Path, url: str, bounds: ConnectionBounds = DEFAULT
) -> AsyncGenerator[Edge]:
    """The same, but all regions stand at one address."""
    moved = {name: {"url": f"{url}/openai"} for name in REGIONS}
    async with (
        simulated() as regions,
        _before(folder, regions, bounds, {"backends": moved}) as made,
    ):
        yield made


@asynccontextmanager
async def _before(
    folder: Path,
    regions: dict[str, SimulatedRegion],
    bounds: ConnectionBounds,
    sections: dict[str, Any],
) -> AsyncGenerator[Edge]:
    config, topic = folder / "tollgate.yaml", Topic()
    write_settings(config, regions, **sections)
    async with serving(topic.app) as topic_url:
        environment = read_environment(
            {
                "TOLLGATE_CONFIG": str(config),
                "TOLLGATE_JOURNAL": str(folder / "journal"),
                "EVENTGRID_TOPIC_ENDPOINT": topic_url + PATH,
                "EVENTGRID_TOPIC_KEY": TOPIC_KEY,
            }
        )
        async with (
            GatewayRuntime(load_settings(config), environment, lambda _: BACKEND_KEY) as runtime,
            serving_gateway(LocalSite(runtime), 0, bounds=bounds) as url,
        ):
            yield Edge(int(url.rpartition(":")[2]), regions, topic)
