"""`tollgate dead-letters`: looks at what was refused, and sends it again."""

from __future__ import annotations

from collections import Counter

from tollgate.composition import IntakeRuntime, utc_now
from tollgate.errors import SettingsError
from tollgate.events.dead_letters import DeadLetter
from tollgate.settings import Environment


async def all_letters(environment: Environment) -> list[DeadLetter]:
    """Every dead letter, oldest first."""
    async with IntakeRuntime(environment) as runtime:
        return await runtime.dead_letters.all()


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

    Returns:
        How many became what.
    """
    counts: Counter[str] = Counter()
    async with IntakeRuntime(environment) as runtime:
        for letter in await runtime.dead_letters.all():
            taken = await runtime.intake.take([letter.body], source=letter.source, now=utc_now())
            counts += taken
            if "dead_letter" not in taken:
                await runtime.dead_letters.remove(letter.id)
    return counts
