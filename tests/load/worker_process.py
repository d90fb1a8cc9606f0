"""`ledger_worker` as a process of its own, which may be killed."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import Final, Self

import msgspec
from load.deliveries import Delivery
from load.ledger_worker import HEAD_BYTES, READY, TAKEN, Task

_TESTS: Final = Path(__file__).parents[1]
_START_S: Final = 60.0


class WorkerProcess:
    """A worker that runs; see `start`."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self._log = log
        self._process = process
        self._numbers = count()
        self._answers: dict[int, asyncio.Future[bytes | None]] = {}
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def start(cls, environment: Mapping[str, str], log: Path) -> Self:
        """Start one, and wait until it is ready."""
        with log.open("ab") as stderr:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "load.ledger_worker",
                env={"PATH": os.defpath, "PYTHONPATH": str(_TESTS), **environment},
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=stderr,
            )
        assert process.stdout is not None
        async with asyncio.timeout(_START_S):
            line = await process.stdout.readline()
        worker = cls(process, log)
        assert line == READY, worker.complaint
        return worker

    async def take(self, delivery: Delivery, dies: str | None = None) -> bool:
        """Whether it took a batch in; not if it died or could not.

        Args:
            delivery: The batch.
            dies: Where it dies then, one of `PLACES`.
        """
        number = next(self._numbers)
        task = msgspec.msgpack.encode(Task(number, list(delivery.raws), dies))
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        if self._reading.done():
            return False
        assert self._process.stdin is not None
        self._process.stdin.write(len(task).to_bytes(HEAD_BYTES) + task)
        return await answer == TAKEN

    @property
    def is_dead(self) -> bool:
        """Whether it has ended."""
        return self._reading.done()

    def kill(self) -> None:
        """SIGKILL, unless it is dead."""
        if not self.is_dead and self._process.returncode is None:
            self._process.kill()

    async def ended(self) -> bool:
        """Wait for its end, and say whether it was killed.

        Raises:
            AssertionError: It ended by itself, but not well.
        """
        await self._reading
        code = await self._process.wait()
        assert code in (0, -signal.SIGKILL), (code, self.complaint)
        return code != 0

    @property
    def complaint(self) -> str:
        """The last that any of them said on stderr."""
        return self._log.read_text()[-2000:]

    async def stop(self) -> bool:
        """Let it end when it has nothing more to do; as `ended`."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        return await self.ended()

    async def _read(self) -> None:
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            if line.endswith(b"\n"):
                number, outcome = line.split()
                self._answers.pop(int(number)).set_result(outcome)
        for answer in self._answers.values():
            answer.set_result(None)
