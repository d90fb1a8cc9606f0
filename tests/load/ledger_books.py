"""Whether a ledger holds what its feed comes to, and its archive says the same."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from itertools import islice
from pathlib import Path
from typing import Any, Final

from load.feed import Feed
from load.independent_count import counted, differences, read

from tollgate.connections.redis import open_redis, open_redis_sync
from tollgate.events.dead_letters import RedisDeadLetters
from tollgate.ledger.generation import current_reader

_BIN: Final = Path(sys.executable).parent
_SHOWN: Final = 5


class LedgerBooks:
    """The books after a show.

    Args:
        fed: What was delivered.
        environment: Where Redis and the archive are.

    Attributes:
        expected: What the distinct events come to.

    Every check raises `AssertionError`.
    """

    def __init__(self, fed: Feed, environment: dict[str, str]) -> None:
        self.expected = counted(fed.valid)
        self._fed, self._environment = fed, environment
        self._url = environment["TOLLGATE_REDIS_URL"]
        self._archive = environment["TOLLGATE_ARCHIVE"]

    def check_cells(self) -> None:
        """They are the independent count."""
        with open_redis_sync(self._url) as redis:
            found = read(current_reader(redis), self.expected.months())
        wrong = list(islice(differences(self.expected, found), _SHOWN))
        assert not wrong, "\n".join(wrong)

    async def check_what_is_kept_aside(self) -> None:
        """Each conflict, and each refused event once; nothing is late."""
        with open_redis_sync(self._url) as redis:
            reader = current_reader(redis)
            aside = [reader.kept_aside(tenant) for tenant in reader.tenants()]
        assert sum(each.conflicts for each in aside) == len(self._fed.conflicts), aside
        assert sum(each.late for each in aside) == 0, aside
        async with open_redis(self._url) as redis:
            letters = await RedisDeadLetters(redis).all()
        assert sorted(letter.body for letter in letters) == sorted(self._fed.refused)

    async def rebuild(self) -> int:
        """Seal the archive and rebuild the ledger from it; how many events the archive has."""
        await self._run("tollgate", "seal")
        said = await self._run("accountant", "rebuild", "--archive", self._archive)
        found = re.search(r"generation 1: ([\d,]+) events", said)
        assert found, said
        return int(found[1].replace(",", ""))

    async def audit(self) -> None:
        """Every month's audit finds the conflicts and nothing else."""
        found = await asyncio.gather(*map(self._contradicting, self.expected.months()))
        assert set[str]().union(*found) == {json.loads(raw)["id"] for raw in self._fed.conflicts}

    async def _contradicting(self, month: str) -> set[str]:
        command = ("accountant", "audit", month, "--archive", self._archive, "--json")
        found: dict[str, Any] = json.loads(await self._run(*command, codes=(0, 1)))
        assert found["differences"] == [], found["differences"][:_SHOWN]
        assert found["breaks"] == [], found["breaks"][:_SHOWN]
        assert not any(each["counted"] for each in found["contradictions"])
        return {each["event_id"] for each in found["contradictions"]}

    async def _run(self, command: str, *arguments: str, codes: tuple[int, ...] = (0,)) -> str:
        """What a command of the product says."""
        process = await asyncio.create_subprocess_exec(
            str(_BIN / command),
            *arguments,
            env={"PATH": os.defpath, **self._environment},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        said, complained = await process.communicate()
        assert process.returncode in codes, (said[-2000:], complained[-2000:])
        return said.decode()
