"""What one gateway instance learns of a region, all of them know, through Redis.

Nothing on the way of a request waits for Redis: changes are queued, and one task exchanges them.
Only durations travel, so the clocks of the instances need not agree.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Sequence
from importlib.resources import files
from typing import Final, cast

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisClusterException, RedisError

from tollgate.proxy.breaker import Breakers, Circuit

_SCRIPT: Final = files("tollgate.proxy").joinpath("shared_circuits.lua").read_bytes()
_log: Final = logging.getLogger(__name__)

# How much longer than the instance that opened a circuit the others leave it alone.
GRACE_S: Final = 2.0
# How long an entry outlives its time: whoever finds it gone before, knows that it was closed.
_KEPT_S: Final = GRACE_S + 5.0
# Changes that come close together go in one call.
_TOGETHER_S: Final = 0.02
_CALL_S: Final = 2.0
_CLOSED_MS: Final = "-1"
_CIRCUIT: Final = msgspec.json.Decoder(Circuit)


class _Opening(msgspec.Struct, frozen=True):
    """Until when, by the steady clock, and why."""

    until_s: float
    throttled: bool


class SharedCircuits:
    """Exchanges open circuits with other instances. It observes `breakers` from now on.

    A circuit that another instance has opened is probed by that one first: here it stays open
    `GRACE_S` longer, and closes as soon as the other has closed it. Without Redis each instance
    works on with what it finds out itself.

    Args:
        redis: A client that returns bytes; its retries are welcome, the script may be repeated.
        breakers: Of this instance.
        steady_s: The clock of the breakers.
        key: Where the circuits stand in Redis; the same for all instances.
        every_s: How often they are read.
    """

    def __init__(
        self,
        redis: Redis,
        breakers: Breakers,
        steady_s: Callable[[], float],
        *,
        key: str,
        every_s: float = 0.5,
    ) -> None:
        self._script = redis.register_script(_SCRIPT)
        self._breakers = breakers
        self._steady_s = steady_s
        self._key = key
        self._every_s = every_s
        self._owner = secrets.token_hex(8)
        self._open: dict[Circuit, _Opening] = {}  # by this instance
        self._closed: set[Circuit] = set()  # the others do not know yet
        self._changed = asyncio.Event()
        self._learnt: set[Circuit] = set()
        self._is_away = False
        breakers.observer = self

    def opened(self, circuit: Circuit, until_s: float, *, throttled: bool) -> None:
        """Tell the others."""
        self._open[circuit] = _Opening(until_s, throttled)
        self._closed.discard(circuit)
        self._changed.set()

    def closed(self, circuit: Circuit) -> None:
        """Tell the others."""
        self._open.pop(circuit, None)
        self._closed.add(circuit)
        self._changed.set()

    async def run(self) -> None:
        """Exchange until cancelled."""
        while True:
            await self._exchange_or_warn()
            try:
                async with asyncio.timeout(self._every_s):
                    await self._changed.wait()
            except TimeoutError:
                continue
            await asyncio.sleep(self._every_s if self._is_away else _TOGETHER_S)

    async def exchange(self) -> None:
        """Once: tell the others what is open or was closed here, and take over what they tell.

        What is open is told every time, because Redis may have forgotten it.

        Raises:
            RedisError: Redis cannot be reached, or refuses; nothing is lost, try again.
            RedisClusterException: The same.
            TimeoutError: It did not answer in time; the same.
        """
        self._changed.clear()
        closed = self._closed.copy()
        async with asyncio.timeout(_CALL_S):
            found = await self._script(keys=[self._key], args=self._arguments())
        self._closed -= closed
        self._take_over(cast("list[bytes]", found))

    async def _exchange_or_warn(self) -> None:
        try:
            await self.exchange()
        except (RedisError, RedisClusterException, OSError) as error:
            if not self._is_away:
                reason = type(error).__name__
                _log.warning("open circuits are not shared with other instances: %s", reason)
            self._is_away = True
            return
        if self._is_away:
            _log.warning("open circuits are shared with other instances again")
        self._is_away = False

    def _arguments(self) -> list[str | bytes]:
        now_s = self._steady_s()
        self._open = {
            circuit: opening for circuit, opening in self._open.items() if opening.until_s > now_s
        }
        arguments: list[str | bytes] = [self._owner, _ms(_KEPT_S)]
        for circuit in self._closed:
            arguments += [msgspec.json.encode(circuit), _CLOSED_MS, "0"]
        for circuit, opening in self._open.items():
            wait_ms = _ms(opening.until_s - now_s)
            arguments += [msgspec.json.encode(circuit), wait_ms, str(int(opening.throttled))]
        return arguments

    def _take_over(self, found: Sequence[bytes]) -> None:
        now_s = self._steady_s()
        learnt: set[Circuit] = set()
        for name, left_ms, throttled in zip(found[::3], found[1::3], found[2::3], strict=True):
            circuit = _circuit_of(name)
            if circuit is None:
                continue
            wait_s = int(left_ms) / 1000 + GRACE_S
            self._breakers.learn(circuit, now_s, wait_s, throttled=throttled == b"1")
            learnt.add(circuit)
        for circuit in self._learnt - learnt:
            self._breakers.unlearn(circuit)
        self._learnt = learnt


def _circuit_of(name: bytes) -> Circuit | None:
    """A circuit as we name it; None for what somebody else has put there."""
    try:
        return _CIRCUIT.decode(name)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _ms(seconds: float) -> str:
    return str(round(seconds * 1000))
