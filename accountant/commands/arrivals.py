"""What may not have arrived in the ledger when a month is closed: what is seen, and what is not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing
from datetime import datetime, timedelta
from pathlib import Path
from time import sleep
from typing import Final

import msgspec

from accountant.closing.blockers import Blocker
from accountant.closing.close import settled_at
from accountant.closing.gateway_health import health_seen
from accountant.closing.journal_left import journal_left
from accountant.closing.refused_events import dead_letters, kept_aside
from accountant.commands.problems import read_journal, read_url, say
from tollgate.connections.redis import open_redis
from tollgate.errors import SettingsError
from tollgate.usage.periods import Month

_LOOK_EVERY_S: Final = 15.0
_RUNS_DRY: Final = frozenset({"journal", "hub-minutes"})


class Places(msgspec.Struct, frozen=True, kw_only=True):
    """Where to look, as typed.

    Args:
        redis_url: The ledger, beside which dead letters are.
        journal: A gateway's journal on this machine.
        blobs: Event Grid's dead-letter blobs.
        health: URLs of `/health` of gateways and of the Functions app.
    """

    redis_url: str | None
    journal: Path | None
    blobs: str | None
    health: Sequence[str]


class Arrivals(msgspec.Struct, frozen=True):
    """What was seen.

    Args:
        blockers: What is not in the ledger's cells, of the month and of those before.
        unseen: What could not be looked at, in words.
    """

    blockers: list[Blocker]
    unseen: list[str]


def arrivals(places: Places, month: Month, now: datetime) -> Arrivals:
    """Look once.

    Raises:
        SettingsError: A place is none.
        StoreUnavailable: Redis did not answer.
    """
    journal = read_journal(places.journal)
    blockers, unseen = list[Blocker](), list[str]()
    if journal:
        left = journal_left(journal, month)
        blockers += left.blockers
        if left.running and not places.health:
            unseen.append(
                f"{left.running} running with the journal {journal}: what they have still to"
                " publish is not seen from here; give --health URL"
            )
    else:
        unseen.append("journals of gateways are not seen from here: give --journal DIR")
    if places.health:
        said = health_seen(places.health, month, now)
        blockers += said.blockers
        unseen += said.unseen
    else:
        unseen.append("what waits in the hub is not seen from here: give --health URL")
    if not places.blobs:
        unseen.append("Event Grid's dead-letter blobs are not looked at: give --blobs LOCATION")
    blockers += asyncio.run(_refused(places, month, journal))
    return Arrivals(_merged(blockers), unseen)


def awaited(
    look: Callable[[], Arrivals], month: Month, clock: Callable[[], datetime], wait_s: float
) -> Arrivals:
    """Look until the month is over and journal and hub ran dry, or until the time is up.

    Args:
        look: Looks once.
        month: The one that is closed.
        clock: The time, in UTC.
        wait_s: How long.
    """
    until = clock() + timedelta(seconds=wait_s)
    while True:
        found, now = look(), clock()
        waits = [each for each in found.blockers if each.what in _RUNS_DRY]
        if (not waits and now >= settled_at(month)) or now >= until:
            return found
        told = [each.words(month) for each in waits] or [f"{month} is not over"]
        say(f"waits: {'; '.join(told)}")
        sleep(min(_LOOK_EVERY_S, max((until - now).total_seconds(), 0.0)))


async def _refused(places: Places, month: Month, journal: Path | None) -> list[Blocker]:
    try:
        redis = open_redis(read_url(places.redis_url))
    except ValueError as error:
        raise SettingsError([str(error)]) from None
    async with aclosing(redis):
        found = await kept_aside(redis, month)
        try:
            return [*found, *await dead_letters(redis, month, journal, places.blobs)]
        except ModuleNotFoundError as error:
            raise SettingsError(
                [f"--blobs: a container needs the package {error.name}; a folder does not"]
            ) from None


def _merged(blockers: Sequence[Blocker]) -> list[Blocker]:
    """One for all that has the same name."""
    found: dict[tuple[object, ...], Blocker] = {}
    for each in blockers:
        known = found.get(each.key)
        months = dict(known.months) if known else {}
        for month, count in each.months.items():
            months[month] = months.get(month, 0) + count
        found[each.key] = msgspec.structs.replace(each, months=months)
    return list(found.values())
