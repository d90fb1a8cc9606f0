"""One simulated region: a web application on a loopback port of its own."""

from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime

from aiohttp import web

from tollgate.local.simulator.admin import AdminEndpoint
from tollgate.local.simulator.answering import Answering
from tollgate.local.simulator.delivery import deliver
from tollgate.local.simulator.deployments import StandingDeployments
from tollgate.local.simulator.exchanges import Exchange
from tollgate.local.simulator.faults_in_force import FaultsInForce
from tollgate.local.simulator.identifiers import Identifiers
from tollgate.local.simulator.refusals import body_too_large
from tollgate.local.simulator.request_log import (
    LogEntry,
    Outcome,
    RequestLog,
    shown_headers,
    without_keys,
)
from tollgate.local.simulator.settings import RegionSettings

LOOPBACK = "127.0.0.1"
# How long a stopping region waits for answers that are still under way.
_SHUTDOWN_S = 0.2
# Connections that may wait to be accepted.
_BACKLOG = 1024


def utc_now() -> datetime:
    """The time of this machine, in UTC."""
    return datetime.now(UTC)


class SimulatedRegion:
    """An Azure OpenAI resource on this machine.

    Attributes:
        settings: What it is.
        faults: How it misbehaves at present; also changed through `/admin/faults`.
        deployments: Its deployments as they now stand; also changed through `/admin/deployments`.
        log: What it was asked; also shown by `/admin/log`.

    Args:
        settings: Name, region, keys and deployments.
        clock: Tells the time, in UTC.
    """

    def __init__(self, settings: RegionSettings, clock: Callable[[], datetime] = utc_now) -> None:
        self.settings = settings
        self.faults = FaultsInForce()
        self.deployments = StandingDeployments(settings.deployments)
        self.log = RequestLog(settings.log_requests)
        self._clock = clock
        self._answering = Answering(settings, self.faults, self.deployments)
        self._received = 0
        self._started_at = clock()
        self._runner: web.AppRunner | None = None
        self._port: int | None = None

    @property
    def url(self) -> str:
        """Where it listens, such as "http://127.0.0.1:41234"; the port stays after a stop.

        Raises:
            RuntimeError: It has never been started.
        """
        if self._port is None:
            raise RuntimeError(f"simulated region {self.settings.name} has not been started")
        return f"http://{LOOPBACK}:{self._port}"

    async def start(self, port: int = 0) -> str:
        """Begins to listen, and returns the URL.

        Args:
            port: Loopback port; 0 takes the one it had before, or any that is free.

        Raises:
            RuntimeError: It already listens.
            OSError: The port is taken.
        """
        if self._runner is not None:
            raise RuntimeError(f"simulated region {self.settings.name} already listens")
        runner = web.AppRunner(
            self._application(),
            access_log=None,
            handler_cancellation=True,
            shutdown_timeout=_SHUTDOWN_S,
        )
        await runner.setup()
        site = web.TCPSite(runner, LOOPBACK, port or self._port or 0, backlog=_BACKLOG)
        try:
            await site.start()
        except OSError:
            await runner.cleanup()
            raise
        self._runner, self._port = runner, int(runner.addresses[0][1])
        return self.url

    async def stop(self) -> None:
        """Stops listening, so that connections are refused; log, faults and port stay."""
        if self._runner is not None:
            runner, self._runner = self._runner, None
            await runner.cleanup()

    @asynccontextmanager
    async def listening(self, port: int = 0) -> AsyncGenerator[str]:
        """Listens while the block runs, and gives the URL."""
        await self.start(port)
        try:
            yield self.url
        finally:
            await self.stop()

    def _application(self) -> web.Application:
        application = web.Application(client_max_size=self.settings.max_body_bytes)
        application.add_routes(AdminEndpoint(self.faults, self.log, self.deployments).routes())
        application.router.add_route("*", "/{path:.*}", self._handle)
        return application

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        """Answers one call of the API, and logs it whatever becomes of it."""
        entry, ids = self._arrived(request)
        outcome: Outcome = "client_left"
        try:
            exchange = await self._read(request, entry, ids)
            response, outcome = await deliver(request, self._answering.reply(exchange), exchange)
        except web.HTTPRequestEntityTooLarge:
            refusal = body_too_large(self.settings.max_body_bytes)
            entry.status, outcome = refusal.status, "answered"
            kind = refusal.content_type
            return web.Response(status=refusal.status, body=refusal.body, content_type=kind)
        finally:
            if outcome == "client_left" and self._runner is None:
                outcome = "broken"  # the region stops, the client did not leave
            entry.end(outcome, self._clock())
        return response

    def _arrived(self, request: web.Request) -> tuple[LogEntry, Identifiers]:
        self._received += 1
        seed = f"{self.settings.name}/{self._started_at.isoformat()}/{self._received}"
        ids = Identifiers(seed)
        path, _, query = request.raw_path.partition("?")
        keys = self.settings.keys
        entry = LogEntry(
            number=self._received,
            at=self._clock(),
            method=request.method,
            path=without_keys(path, keys),
            query=without_keys(query, keys),
            headers=shown_headers(request.headers.items(), keys),
            request_id=ids.uuid("apim-request-id"),
        )
        self.log.add(entry)
        return entry, ids

    async def _read(self, request: web.Request, entry: LogEntry, ids: Identifiers) -> Exchange:
        return Exchange(
            method=request.method,
            path=request.path,
            query=request.query,
            headers=request.headers,
            content=await request.read(),
            at=entry.at,
            ids=ids,
            entry=entry,
        )


@asynccontextmanager
async def regions_listening(
    settings: Iterable[RegionSettings], clock: Callable[[], datetime] = utc_now
) -> AsyncGenerator[dict[str, SimulatedRegion]]:
    """Starts several regions, each on a free port, and gives them by name.

    Args:
        settings: The regions; their names differ.
        clock: Tells the time, in UTC.
    """
    regions = {item.name: SimulatedRegion(item, clock) for item in settings}
    async with AsyncExitStack() as stack:
        for region in regions.values():
            await stack.enter_async_context(region.listening())
        yield regions
