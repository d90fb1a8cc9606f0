"""The users of the prioritisation scenarios: so many low ones and high ones, second by second."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from typing import Any, Final, Literal

import msgspec
from load.toolkit import START_S, Limit, Reply, Toolkit, passing
from proxying import FakeClock

Lane = Literal["high", "low"]
Call = Callable[[Toolkit, Lane], Awaitable[Reply]]

LARGE: Final = Limit(100_000, kept_tokens=30_000, kept_requests=30)
SMALL: Final = Limit(10_000, kept_tokens=3_000, kept_requests=3)
MAX_TOKENS: Final = 1000
# A user calls every so many seconds: nine ask for 135,000 tokens a minute, more than there are.
_EVERY_S: Final = 4


class Spell(msgspec.Struct, frozen=True, kw_only=True):
    """How many users call for how long."""

    seconds: int
    low: int = 0
    high: int = 0


class Asked(msgspec.Struct, frozen=True):
    """One call of one user.

    Args:
        spell: The number of the spell that it fell in, from 0.
        minute: The minute that it fell in, from 0.
        lane: The user's.
        reply: What the user got.
    """

    spell: int
    minute: int
    lane: Lane
    reply: Reply

    @property
    def status(self) -> int:
        """The answer's."""
        return self.reply.status


async def chat(on: Toolkit, lane: Lane) -> Reply:
    """A chat completion of a thousand tokens."""
    return await on.chat("chat", MAX_TOKENS, x_priority=lane)


async def embed(on: Toolkit, lane: Lane) -> Reply:
    """An embedding of ten tokens."""
    return await on.embed("embedding", "x" * 40, x_priority=lane)


async def asked(
    on: Toolkit, clock: FakeClock, spells: Sequence[Spell], call: Call = chat
) -> list[Asked]:
    """Let the users call, spell after spell; the low ones are first in every second."""
    found: list[Asked] = []
    for number, spell in enumerate(spells):
        found += await passing(clock, _seconds(on, number, spell, call))
    return found


def _seconds(
    on: Toolkit, number: int, spell: Spell, call: Call
) -> Iterator[list[Coroutine[Any, Any, Asked]]]:
    users: list[Lane] = [*_times("low", spell.low), *_times("high", spell.high)]

    async def one(lane: Lane) -> Asked:
        reply = await call(on, lane)
        return Asked(number, int((reply.at_s - START_S) // 60), lane, reply)

    for second in range(spell.seconds):
        yield [one(lane) for user, lane in enumerate(users) if (user + second) % _EVERY_S == 0]


def _times(lane: Lane, count: int) -> list[Lane]:
    return [lane for _ in range(count)]
