"""The gateway's own poll: asks for pending responses that no client retrieves.

When to ask next follows from the age of a response alone and is kept in the store: instances
share one schedule, and a restart changes nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final

import msgspec

from tollgate.errors import Rejected, StoreUnavailable
from tollgate.proxy.pending_responses import Completions, is_over
from tollgate.proxy.stored_responses import ResponseStore, StoredResponse
from tollgate.usage.extraction import measure_answer

_API: Final = "responses"
_log: Final = logging.getLogger(__name__)


class ResponseGone(Rejected):
    """The backend knows no such response (404): deleted or expired."""


Ask = Callable[[StoredResponse], Awaitable[bytes | None]]


class PollRules(msgspec.Struct, frozen=True, kw_only=True):
    """How the backends are asked.

    Args:
        first_delay_s: The shortest pause between two questions for a response.
        max_delay_s: The longest; in between, the pause is the response's age, and so doubles.
        give_up_s: The age at which a response is left to the backfill.
        gone_after_s: The age from which a backend's 404 is believed.
        ask_timeout_s: How long an answer may take.
        at_most: How many responses are asked for in a round.
        at_once: How many of these at the same time.
        round_s: The pause between two rounds.
    """

    first_delay_s: float = 5.0
    max_delay_s: float = 300.0
    give_up_s: float = 24 * 3600.0
    gone_after_s: float = 60.0
    ask_timeout_s: float = 30.0
    at_most: int = 100
    at_once: int = 8
    round_s: float = 1.0

    def delay_s(self, age_s: float) -> float:
        """The pause until a response of this age is asked for again."""
        return min(max(age_s, self.first_delay_s), self.max_delay_s)


class PendingPoll:
    """Completes what no client retrieves.

    Args:
        store: Knows what is pending, and when to ask.
        ask: Fetches a response from its backend; None if it cannot be had now, `ResponseGone` if
            it is no more.
        completions: Records the ends.
        now: The time of day, UTC.
        rules: How the backends are asked.

    Attributes:
        rules: May be replaced; they hold from the next question on.
        left_to_backfill: How many responses were given up.
    """

    def __init__(
        self,
        store: ResponseStore,
        ask: Ask,
        completions: Completions,
        now: Callable[[], datetime],
        rules: PollRules | None = None,
    ) -> None:
        self._store = store
        self._ask = ask
        self._completions = completions
        self._now = now
        self.rules = rules or PollRules()
        self._store_is_away = False
        self.left_to_backfill = 0

    async def run(self) -> None:
        """Poll until cancelled."""
        while True:
            try:
                await self.ask_due()
                self._store_is_away = False
            except StoreUnavailable as error:
                if not self._store_is_away:
                    _log.warning("pending responses cannot be listed: %s", error)
                self._store_is_away = True
            await asyncio.sleep(self.rules.round_s)

    async def ask_due(self) -> int:
        """One round.

        Returns:
            How many responses were due.

        Raises:
            StoreUnavailable: They cannot be listed.
        """
        due = await self._store.pending(self._now(), self.rules.at_most)
        bound = asyncio.Semaphore(self.rules.at_once)

        async def ask_one(response: StoredResponse) -> None:
            async with bound:
                await self._ask_for(response)

        async with asyncio.TaskGroup() as tasks:
            for response in due:
                tasks.create_task(ask_one(response))
        return len(due)

    async def _ask_for(self, response: StoredResponse) -> None:
        try:
            await self._ask_and_settle(response)
        except StoreUnavailable as error:
            _log.warning("response %r is asked for later: %s", response.response_id, error)

    async def _ask_and_settle(self, response: StoredResponse) -> None:
        now, rules = self._now(), self.rules
        age_s = (now - response.created_at).total_seconds()
        # Before the question: neither a crash nor another instance repeats it at once.
        again = now + timedelta(seconds=rules.delay_s(age_s))
        await self._store.postpone(response.response_id, response.tenant, again)
        try:
            reason = await self._outcome(response, age_s)
        except Exception as bug:  # noqa: BLE001  one bad response must not stop the others
            # Not the message: it could hold a part of an answer.
            _log.error("response %r: %s", response.response_id, type(bug).__name__)
            reason = None
        if reason is None and age_s >= rules.give_up_s:
            reason = f"no end was seen for {rules.give_up_s:g} s"
        if reason:
            await self._give_up(response, reason)

    async def _outcome(self, response: StoredResponse, age_s: float) -> str | None:
        """Ask, and complete if it is over: "" then; else why to give up; None: ask again."""
        try:
            async with asyncio.timeout(self.rules.ask_timeout_s):
                body = await self._ask(response)
        except TimeoutError:
            return None
        except ResponseGone:
            return "its backend knows it no more" if age_s >= self.rules.gone_after_s else None
        if body is None:
            return None
        measured = measure_answer(body, _API)
        if await self._completions.see(response, measured):
            return ""
        is_silent = is_over(measured) and measured.tokens is None
        return f"it ended as {measured.status} without usage" if is_silent else None

    async def _give_up(self, response: StoredResponse, reason: str) -> None:
        """From here the backfill has it: a completion of ours would contradict it."""
        await self._store.settled(response.response_id, response.tenant)
        self.left_to_backfill += 1
        _log.warning(
            "the usage of response %r of %s is left to the backfill: %s",
            response.response_id,
            response.tenant,
            reason,
        )
