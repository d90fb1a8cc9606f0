"""`tollgate dead-letters`: looks at what was refused, and sends it again.

The intake's refusals are in Redis; what the Event Grid topic refused lies beside the journal.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tollgate.composition import utc_now
from tollgate.errors import SettingsError
from tollgate.events.dead_letters import DeadLetter
from tollgate.events.refused import REFUSED_FILE, forget_refused, read_refused
from tollgate.intake_runtime import IntakeRuntime
from tollgate.settings import DEFAULT_JOURNAL, Environment

REFUSED_SOURCE: Final = "event-grid-refused"
_REFUSED_REASON: Final = "the Event Grid topic refused it"


async def all_letters(environment: Environment) -> list[DeadLetter]:
    """Every dead letter, oldest first."""
    async with IntakeRuntime(environment) as runtime:
        letters = await runtime.dead_letters.all() + _refused(environment)
    return sorted(letters, key=lambda letter: (letter.received, letter.id))


async def find_letter(environment: Environment, letter_id: str) -> DeadLetter:
    """The dead letter of that id.

    Raises:
        SettingsError: There is none.
    """
    for letter in await all_letters(environment):
        if letter.id == letter_id:
            return letter
    raise SettingsError([f"there is no dead letter {letter_id!r}; see: tollgate dead-letters list"])


async def replay_all(environment: Environment) -> Counter[str]:
    """Send all of them through the intake; those that it takes now are forgotten.

    What the topic refused leaves its file in any case: the intake counts it, or keeps it in Redis.

    Returns:
        How many became what.
    """
    counts: Counter[str] = Counter()
    async with IntakeRuntime(environment) as runtime:
        refused = _refused(environment)
        for letter in [*await runtime.dead_letters.all(), *refused]:
            taken = await runtime.intake.take([letter.body], source=letter.source, now=utc_now())
            counts += taken
            if "dead_letter" not in taken:
                await runtime.dead_letters.remove(letter.id)
        if refused:
            forget_refused(_journal(environment), {letter.body for letter in refused})
    return counts


def _journal(environment: Environment) -> Path:
    return environment.journal or DEFAULT_JOURNAL


def _refused(environment: Environment) -> list[DeadLetter]:
    """What the topic refused; its time is that of the last one."""
    folder = _journal(environment)
    if not (events := read_refused(folder)):
        return []
    last = datetime.fromtimestamp((folder / REFUSED_FILE).stat().st_mtime, UTC)
    return [
        DeadLetter(reason=_REFUSED_REASON, source=REFUSED_SOURCE, received=last, body=event)
        for event in events
    ]
