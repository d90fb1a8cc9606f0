"""A worker: takes batches in as the triggers do, and dies when and where it is told.

On stdin a batch is its length in 4 bytes, then a `Task`; on stdout a line with its number and
whether it was taken, or is to come again.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final, cast

import msgspec
from redis.commands.core import AsyncScript

from tollgate.errors import StoreUnavailable
from tollgate.intake_runtime import IntakeRuntime
from tollgate.ledger.archive import Archive
from tollgate.settings import read_environment
from tollgate.usage.event import ReceivedEvent

# torn       half of what it appends to a file of the archive is written
# archived   its events are in the archive, and not in the cells
# asked      Redis is asked to run a script, and has not answered
# answered   it has run the script, for one tenant or dead letter
# taken      all is done but the acknowledgement
PLACES: Final = ("torn", "archived", "asked", "answered", "taken")
READY: Final = b"ready\n"
HEAD_BYTES: Final = 4
TAKEN: Final = b"taken"
_ASKED_S: Final = 0.0003
_real_write: Final = os.write


class Task(msgspec.Struct, frozen=True, array_like=True):
    """A batch to take in, and where to die then."""

    number: int
    raws: list[bytes]
    dies: str | None


class Death:
    """SIGKILL by this process's own hand, at a place that cannot be met from outside.

    Attributes:
        at: Where it is to be, if anywhere.
    """

    def __init__(self) -> None:
        self.at: str | None = None

    def comes(self, place: str) -> None:
        """Die if this is the place."""
        if self.at == place:
            os.kill(os.getpid(), signal.SIGKILL)

    def lie_in_wait(self) -> None:
        """At the product's own steps."""
        append, call = Archive.append, AsyncScript.__call__

        def write(descriptor: int, lines: bytes) -> int:
            if self.at == "torn":
                _real_write(descriptor, lines[: len(lines) // 2])
            self.comes("torn")
            return _real_write(descriptor, lines)

        def appended(archive: Archive, events: Sequence[ReceivedEvent], now: datetime) -> None:
            append(archive, events, now)
            self.comes("archived")

        async def called(script: AsyncScript, *args: Any, **kwargs: Any) -> Any:
            asked = asyncio.ensure_future(call(script, *args, **kwargs))
            if self.at == "asked":
                await asyncio.sleep(_ASKED_S)
            self.comes("asked")
            answer = await asked
            self.comes("answered")
            return answer

        os.write = write
        cast("Any", Archive).append = appended
        cast("Any", AsyncScript).__call__ = called


async def work(death: Death) -> None:
    """Take batches in, several at once, until there are no more."""
    environment = read_environment()
    async with IntakeRuntime(environment) as runtime, asyncio.TaskGroup() as batches:
        _say(READY)
        tasks = await _stdin()
        while head := await tasks.read(HEAD_BYTES):
            head += await tasks.readexactly(HEAD_BYTES - len(head))
            body = await tasks.readexactly(int.from_bytes(head))
            task = msgspec.msgpack.decode(body, type=Task)
            batches.create_task(_take(runtime, task, death))


async def _take(runtime: IntakeRuntime, task: Task, death: Death) -> None:
    death.at = task.dies or death.at
    try:
        now = datetime.now(UTC)  # noqa: TID251  as a trigger does
        await runtime.intake.take(task.raws, source="event-hub", now=now)
    except StoreUnavailable:
        _say(b"%d again\n" % task.number)
    else:
        death.comes("taken")
        _say(b"%d %s\n" % (task.number, TAKEN))


def _say(line: bytes) -> None:
    _real_write(1, line)


async def _stdin() -> asyncio.StreamReader:
    reader = asyncio.StreamReader(limit=1 << 24)
    protocol = asyncio.StreamReaderProtocol(reader)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
    return reader


if __name__ == "__main__":
    hers = Death()
    hers.lie_in_wait()
    asyncio.run(work(hers))
