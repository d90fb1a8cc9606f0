"""Regions that fail at random, while at least one of them is healthy."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from random import Random
from typing import Any, Final

import aiohttp
from load.gateway_process import FIRST_BYTE_S

# How long a region is well again before the others may fail. What was sent to it before is given
# up after FIRST_BYTE_S, and that opens its circuit once more, for a second.
_CONVALESCENCE_S: Final = FIRST_BYTE_S + 1.5
_FAULTS: Final[tuple[dict[str, Any], ...]] = (
    {"kind": "throttle", "retry_after_s": 1},
    {"kind": "throttle", "retry_after_s": 1, "form": "milliseconds"},
    {"kind": "error", "status": 500},
    {"kind": "error", "status": 503, "body": "html"},
    {"kind": "error", "status": 408},
    {"kind": "reset"},
    {"kind": "refuse"},
    {"kind": "slow_first_byte", "delay_s": 0.3},
    {"kind": "slow_first_byte", "delay_s": FIRST_BYTE_S + 1.0, "probability": 0.05},
    {"kind": "break_stream", "after_frames": 0},
    {"kind": "break_stream", "after_frames": 2, "how": "reset"},
    {"kind": "break_stream", "after_frames": 6},
    {"kind": "break_body"},
    {"kind": "error_first_frame"},
    {"kind": "error_after_early_frames"},
    {"kind": "error_mid_stream", "after_frames": 8},
    {"kind": "slow_frames", "delay_s": 0.02},
    {"kind": "split_bytes"},
)


class Chaos:
    """Orders faults from the regions' admin endpoints.

    Args:
        urls: The regions', by name.
        random: Who fails, and how.

    Attributes:
        rounds: How often the healthy region has changed.
    """

    def __init__(self, urls: Mapping[str, str], random: Random) -> None:
        self._urls, self._random = urls, random
        self.rounds = 0

    async def reign(self, spell_s: float) -> None:
        """Go on until cancelled; a region is the healthy one for some `spell_s` seconds."""
        names = sorted(self._urls)
        async with aiohttp.ClientSession() as session:
            safe = names[0]
            while True:
                for name in names:
                    if name != safe:
                        await self._strike(session, name)
                await asyncio.sleep(spell_s)
                safe = self._random.choice([name for name in names if name != safe])
                await self._heal(session, safe)
                await asyncio.sleep(_CONVALESCENCE_S)
                self.rounds += 1

    async def end(self) -> None:
        """All are well again."""
        async with aiohttp.ClientSession() as session:
            for name in self._urls:
                await self._heal(session, name)

    async def _strike(self, session: aiohttp.ClientSession, name: str) -> None:
        """Other faults than before, one or two."""
        await self._heal(session, name)
        chosen = self._random.sample(_FAULTS, self._random.choice((1, 1, 2)))
        seeded = [{"probability": self._random.choice((0.5, 1.0)), **each} for each in chosen]
        order = {"faults": [{"seed": self._random.randrange(1000), **each} for each in seeded]}
        async with session.post(self._urls[name] + "/admin/faults", json=order) as answer:
            assert answer.status == 200, await answer.text()

    async def _heal(self, session: aiohttp.ClientSession, name: str) -> None:
        async with session.delete(self._urls[name] + "/admin/faults") as answer:
            assert answer.status == 200
