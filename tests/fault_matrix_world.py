"""Where the fault matrix is played: regions and a gateway that listen, reset for each case."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final, NamedTuple, cast

import aiohttp
import msgspec
from fault_matrix import Detour, Row, Shape
from gateways import gateway
from proxying import KEY, FakeClock, RecordingSink
from raw_upstreams import RawServer
from serving import (
    BILLED,
    Serving,
    assert_nothing_leaked,
    backends_of,
    listening,
    region_settings,
    there,
)

from tollgate.local.simulator import SimulatedRegion
from tollgate.local.simulator.region import regions_listening
from tollgate.proxy.breaker import BreakerRules, Breakers
from tollgate.proxy.ports import UpstreamRequest
from tollgate.proxy.upstream_http import HttpAnswer, HttpUpstream

SILENCE_S: Final = 0.4
_PATIENCE_S: Final = 30.0
_REDIRECT: Final = b"HTTP/1.1 302 Found\r\nlocation: http://x/\r\ncontent-length: 0\r\n\r\n"


class Told(NamedTuple):
    """What the client was told."""

    status: int
    headers: dict[str, str]
    body: bytes
    is_whole: bool


class Stage:
    """One gateway after the other before the same regions; `anew` begins a case.

    Attributes:
        clock: The gateway's and the regions'; it stands still.
        regions: By name, in the order in which they are asked.
        sink: The gateway's events.
        breakers: The gateway's.
    """

    def __init__(self, regions: dict[str, SimulatedRegion], clock: FakeClock) -> None:
        self.clock, self.regions = clock, regions
        self.detours: dict[str, str] = {}
        self._http: aiohttp.ClientSession | None = None
        self._upstream = _DetouredUpstream()
        self._set_up(_PATIENCE_S)

    async def anew(self, timeout_s: float = _PATIENCE_S, detour: Detour | None = None) -> None:
        """Nothing has happened yet, and no connection is open."""
        await self._upstream.close()
        for region in self.regions.values():
            region.faults.clear()
            region.log.clear()
        self._upstream = _DetouredUpstream()
        if detour is not None:
            first = next(iter(self.regions.values())).url
            self._upstream.detour = (first, self.detours[detour.to])
        self._set_up(timeout_s)

    def _set_up(self, timeout_s: float) -> None:
        self.sink, self.breakers = RecordingSink(), Breakers(BreakerRules())
        self.serving = Serving(
            gateway(
                self._upstream,
                self.sink,
                backends=backends_of(self.regions),
                clock=self.clock.clock,
                timeout_s=timeout_s,
                breakers=self.breakers,
            )
        )

    async def play(self, row: Row, shape: Shape) -> None:
        """Begin a case: the first region is as the row says."""
        fault = row.fault
        if isinstance(fault, Detour):
            await self.anew(detour=fault)
            return
        made = fault(shape) if callable(fault) else fault
        await self.anew(SILENCE_S if made.kind == "slow_first_byte" else _PATIENCE_S)
        next(iter(self.regions.values())).faults.add(made)

    async def ask(self, shape: Shape) -> Told:
        """The answer to a call; all of the gateway's work for it is done then."""
        assert self._http is not None
        path = "/openai/v1/" + shape.api.replace(".", "/")
        async with self._http.post(path, params=BILLED, **_content(shape)) as response:
            headers = {name.lower(): value for name, value in response.headers.items()}
            told = Told(response.status, headers, *await _read(response))
        await self.serving.gateway.background.finish()
        return told

    def open_s(self, name: str, shape: Shape) -> float:
        """How long a region's breaker is open for the call."""
        return self.breakers.wait_s((name, there(shape.model)), self.clock.s)

    def asked(self, name: str) -> int:
        """How many requests a region got."""
        return len(self.regions[name].log)

    @asynccontextmanager
    async def playing(self) -> AsyncGenerator[Stage]:
        """The gateway listens while the block runs."""
        async with AsyncExitStack() as stack:
            url = await stack.enter_async_context(listening(_Current(self)))
            self._http = await stack.enter_async_context(
                aiohttp.ClientSession(url, headers={"api-key": KEY})
            )
            no_http = await stack.enter_async_context(RawServer(b"SSH-2.0-x\r\n\r\n").listening())
            redirect = await stack.enter_async_context(RawServer(_REDIRECT).listening())
            nobody = stack.enter_context(socket.socket())
            nobody.bind(("127.0.0.1", 0))
            self.detours = {
                "nobody": f"http://127.0.0.1:{nobody.getsockname()[1]}",
                "unknown name": "http://nowhere.invalid",
                "no tls": next(iter(self.regions.values())).url.replace("http:", "https:"),
                "no http": no_http.url,
                "redirect": redirect.url,
            }
            try:
                yield self
            finally:
                await self._upstream.close()


class _Current(Serving):
    """The gateway of the case that is played."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    @property
    def gateway(self) -> Any:
        return self._stage.serving.gateway


class _DetouredUpstream:
    """Real HTTP, but requests to one region may go to another address."""

    def __init__(self) -> None:
        self._http = HttpUpstream()
        self.detour: tuple[str, str] | None = None

    async def send(self, request: UpstreamRequest) -> HttpAnswer:
        if self.detour is not None:
            request = msgspec.structs.replace(request, url=request.url.replace(*self.detour))
        return await self._http.send(request)

    async def close(self) -> None:
        await self._http.close()


async def _read(response: aiohttp.ClientResponse) -> tuple[bytes, bool]:
    """What came of a body, and whether it was all."""
    body = b""
    try:
        async for part in response.content.iter_any():
            body += part
    except aiohttp.ClientPayloadError:
        return body, False
    return body, True


def _content(shape: Shape) -> dict[str, Any]:
    """The body of a call: a form if there are files in it."""
    members = {"model": shape.model, **shape.members}
    if not any(isinstance(value, tuple) for value in members.values()):
        return {"json": members}
    form = aiohttp.FormData()
    for name, value in members.items():
        if isinstance(value, tuple):
            filename, data, content_type = cast("tuple[str, bytes, str]", value)
            form.add_field(name, data, filename=filename, content_type=content_type)
        else:
            form.add_field(name, str(value).lower() if isinstance(value, bool) else str(value))
    return {"data": form}


@asynccontextmanager
async def stage(names: Sequence[str] = ("weu-1", "neu-1", "swc-1")) -> AsyncGenerator[Stage]:
    """Regions of these names, and a gateway before them."""
    clock = FakeClock()
    async with regions_listening(map(region_settings, names), clock.now) as regions:
        async with Stage(regions, clock).playing() as playing:
            yield playing
            await asyncio.sleep(0)
        assert_nothing_leaked(regions)
