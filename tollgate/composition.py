"""Wires the gateway together from the settings; both composition roots use it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any, Final, Self

from tollgate.connections.azure import OPENAI_SCOPE, Identity
from tollgate.connections.redis import open_redis
from tollgate.errors import SettingsError
from tollgate.events.drain import Drain
from tollgate.gateway_journal import GatewayJournal
from tollgate.gateway_parts import ApiKey, BearerToken, Lasting, gateway_of, poll_rules
from tollgate.health import Finding, Health
from tollgate.metrics import Metrics
from tollgate.proxy.breaker import BreakerRules, Breakers
from tollgate.proxy.capacity import Capacities
from tollgate.proxy.concurrency import Concurrency
from tollgate.proxy.handler import Gateway
from tollgate.proxy.metering import Clock
from tollgate.proxy.pending_poll import PendingPoll
from tollgate.proxy.pending_responses import Completions
from tollgate.proxy.pool import Credential
from tollgate.proxy.relay import Background
from tollgate.proxy.response_memory import ResponseMemory
from tollgate.proxy.shared_circuits import SharedCircuits
from tollgate.proxy.stored_in_memory import MemoryResponses
from tollgate.proxy.stored_in_redis import RedisResponses
from tollgate.proxy.stored_nearby import CachedResponses
from tollgate.proxy.stored_responses import ResponseStore
from tollgate.proxy.upstream_http import HttpUpstream
from tollgate.proxy.vocabulary import load_tokenizer
from tollgate.publishing import open_publisher
from tollgate.settings import (
    DEFAULT_JOURNAL,
    Environment,
    Settings,
    not_enforced,
    resolve_secret,
)
from tollgate.settings_file import SettingsFile
from tollgate.settings_sections import MANAGED_IDENTITY
from tollgate.usage.event import UsageEvent

_NO_TOPIC: Final = "no topic is set: usage waits in the journal, and nobody is billed"
_NOT_PUBLISHING: Final = (
    "neither an Event Grid topic is set (EVENTGRID_TOPIC_ENDPOINT) nor an event hub"
    " (EVENTHUB_CONNECTION): usage waits in the journal at %s and nobody is billed"
)
_CANCEL_S: Final = 0.2
_CIRCUITS_KEY: Final = "tollgate:circuits"
_log: Final = logging.getLogger(__name__)


def utc_now() -> datetime:
    """The time of day, UTC."""
    return datetime.now(UTC)


_CLOCK: Final = Clock(now=utc_now, steady_s=time.monotonic)


class GatewayRuntime:
    """The gateway with its connections, its journal and the tasks beside the requests.

    These publish from the journal, follow the settings, share circuits and ask for responses that
    run in the background. Use as an async context manager, on the loop that serves the requests.

    Args:
        settings: Of the gateway; read again when the file that the environment names changes.
        environment: Where the settings, the journal, the topic and Redis are.
        secret: Gives the secret behind a reference of the settings.
        metrics: Where the journal's numbers are shown.

    Attributes:
        gateway: Serves; another one when the settings have changed.
    """

    gateway: Gateway

    def __init__(
        self,
        settings: Settings,
        environment: Environment,
        secret: Callable[[str], str] = resolve_secret,
        metrics: Metrics | None = None,
    ) -> None:
        self.metrics = metrics or Metrics()
        self._settings = settings
        self._environment = environment
        self._secret = secret
        self._exits = AsyncExitStack()
        self._identity: Identity | None = None
        self._drain: Drain | None = None
        self._file: SettingsFile | None = None
        self._shared: RedisResponses | None = None

    async def __aenter__(self) -> Self:
        """Open everything, or nothing.

        Raises:
            SettingsError: A secret is missing, or the journal's folder or Redis cannot be used.
        """
        try:
            await self._open()
        except BaseException:
            await self._exits.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._exits.aclose()

    async def _open(self) -> None:
        credentials = self._credentials(self._settings)
        publisher = open_publisher(self._environment, self._our_identity, self._exits)
        upstream = HttpUpstream()
        self._exits.push_async_callback(upstream.close)
        self._watched = self._open_journal()
        self._journal = self._watched.journal
        if publisher:
            self._drain = Drain(self._journal, publisher)
            self._run(self._drain.run())
        else:
            _log.warning(_NOT_PUBLISHING, self._journal.folder)
        breakers = Breakers(BreakerRules())
        store = self._open_shared(breakers)
        completions = Completions(store, self._journal.record)
        self._lasting = Lasting(
            sink=self._watched.watch,
            upstream=upstream,
            clock=_CLOCK,
            breakers=breakers,
            capacities=Capacities({}),
            concurrency=Concurrency(),
            memory=ResponseMemory(store, completions, utc_now),
            background=Background(),
            count_tokens=load_tokenizer(self._environment.tokenizer),
        )
        self._pending = PendingPoll(store, self._poll, completions, utc_now)
        self._serve(self._settings, credentials)
        self._run(self._pending.run())
        if self._environment.config is not None:
            self._file = SettingsFile(self._environment.config, self.change)
            self._run(self._file.watch())
        self._exits.push_async_callback(self._lasting.background.finish)

    def change(self, settings: Settings) -> None:
        """Serve by other settings from now on; what is under way ends by the old ones.

        Raises:
            SettingsError: A secret is missing; the old ones stay.
        """
        self._serve(settings, self._credentials(settings))

    def _serve(self, settings: Settings, credentials: dict[str, Credential]) -> None:
        for notice in not_enforced(settings):
            _log.warning("%s", notice)
        self._watched.watch.max_bytes = settings.journal.max_bytes
        self.gateway = gateway_of(settings, self._lasting, credentials)
        self._pending.rules = poll_rules(settings)
        if self._shared:
            self._shared.ttl_s = settings.responses.kept_s
        self._settings = settings

    async def _poll(self, stored: Any) -> bytes | None:
        return await self.gateway.stored_calls.poll(stored)

    @property
    def journal_depth(self) -> int:
        """How many events wait to be published."""
        return self._journal.depth

    @property
    def health(self) -> Health:
        """What `/health` says of the gateway."""
        refused = len(self._file.problems) if self._file else 0
        state = self._watched.watch.look()
        findings = state.findings()
        if self._drain is None:
            findings.append(Finding("degraded", _NO_TOPIC))
        if refused:
            findings.append(Finding("degraded", f"tollgate.yaml has problems: {refused}"))
        facts = {
            "publishing": self._drain is not None,
            "journal_depth": state.depth,
            "journal_age_s": state.age_s,
            "journal_bytes": state.bytes,
            "settings_problems": refused,
        }
        return Health(findings, facts)

    @property
    def settings(self) -> Settings:
        """Those that it serves by at the moment."""
        return self._settings

    def record(self, event: UsageEvent) -> None:
        """Send an event on its way, as the gateway does with its own.

        Raises:
            OSError: The journal cannot be written.
        """
        self._journal.record(event)

    def take_over(self) -> int:
        """Publish also what processes left that have died since the start; says how much."""
        return self._watched.take_over()

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        """Run `work` until everything is closed."""
        self._exits.push_async_callback(_cancel, asyncio.create_task(work))

    def _wake(self) -> None:
        if self._drain:
            self._drain.wake()

    def _open_shared(self, breakers: Breakers) -> ResponseStore:
        """What instances share through Redis; without one, this instance is on its own.

        Raises:
            SettingsError: `TOLLGATE_REDIS_URL` is no URL of a Redis.
        """
        memory = MemoryResponses(_CLOCK.steady_s)
        if self._environment.redis_url is None:
            return memory
        try:
            redis = open_redis(self._environment.redis_url)
        except ValueError as error:
            raise SettingsError([f"environment: TOLLGATE_REDIS_URL: {error}"]) from None
        self._exits.push_async_callback(redis.aclose)
        self._run(SharedCircuits(redis, breakers, _CLOCK.steady_s, key=_CIRCUITS_KEY).run())
        self._shared = RedisResponses(redis)
        store = CachedResponses(self._shared, memory)
        self._run(store.run())
        return store

    def _open_journal(self) -> GatewayJournal:
        folder = self._environment.journal or DEFAULT_JOURNAL
        watched = GatewayJournal(folder, self._settings.journal.max_bytes, utc_now, self._wake)
        self._exits.callback(watched.journal.close)
        self._run(watched.run())
        watched.watch.show_in(self.metrics)
        return watched

    def _our_identity(self) -> Identity:
        if self._identity is None:
            self._identity = Identity(utc_now)
            self._exits.push_async_callback(self._identity.close)
        return self._identity

    def _credentials(self, settings: Settings) -> dict[str, Credential]:
        """The credential behind each `auth` of the backends.

        Raises:
            SettingsError: Secrets are missing.
        """
        found: dict[str, Credential] = {}
        problems: list[str] = []
        for auth in dict.fromkeys(backend.auth for backend in settings.backends):
            if auth == MANAGED_IDENTITY:
                found[auth] = BearerToken(self._our_identity().token_provider(OPENAI_SCOPE))
                continue
            try:
                found[auth] = ApiKey(self._secret(auth))
            except SettingsError as error:
                problems += error.problems
        if problems:
            raise SettingsError(problems)
        return found


async def _cancel(task: asyncio.Task[None]) -> None:
    """End a task, and say so if it ended by itself before: it should have lived on."""
    if task.done() and not task.cancelled():
        _log.error("a background task has ended", exc_info=task.exception())
    while not task.done():  # a library below may swallow a cancellation: ask again
        task.cancel()
        await asyncio.wait({task}, timeout=_CANCEL_S)
