"""Waivers: what may pass at a close although it is in no charge, how much of it, and why."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Final, get_args

import msgspec
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from accountant.closing.blockers import Blocker, Key, Kind
from accountant.closing.seals import LetPass
from accountant.edition import Waiver
from accountant.rate_cards.rate_writing import toml_value
from tollgate.errors import SettingsError
from tollgate.usage.periods import Month

_KINDS: Final[tuple[str, ...]] = get_args(Kind)
_HEADING: Final = (
    "# What would let the month be closed as it is. Keep what you waive, with the reason that\n"
    "# the statements print, and give the file: accountant close {month} --waivers FILE\n"
)


def _known(what: str) -> str:
    if what not in _KINDS:
        raise ValueError(f"{what!r} is not one of {', '.join(_KINDS)}")
    return what


class StatedWaiver(BaseModel):
    """One `[[waiver]]`, as a person wrote it.

    Args:
        what: The kind of what may pass.
        tenant: Whose; None is nobody's in particular.
        model: Of what is unpriced; "" is not known.
        meter: Of what is unpriced.
        at_most: How much may pass: units, requests or events.
        reason: Why; it is printed.
        by: Who says so; None is whoever closes.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    what: Annotated[str, Field(strict=True), AfterValidator(_known)]
    tenant: Annotated[str | None, Field(strict=True)] = None
    model: Annotated[str | None, Field(strict=True)] = None
    meter: Annotated[str | None, Field(strict=True)] = None
    at_most: Annotated[int, Field(strict=True, ge=1)]
    reason: Annotated[str, Field(strict=True, max_length=500, pattern=r"\S")]
    by: Annotated[str | None, Field(strict=True, min_length=1, max_length=200)] = None

    @property
    def key(self) -> Key:
        """What it lets pass."""
        return (self.what, self.tenant, self.model or None, self.meter)


class Waived(msgspec.Struct, frozen=True, kw_only=True):
    """What waivers made of the blockers.

    Args:
        let_pass: What they let pass.
        left: What they did not.
        enough_for: How much a waiver lets pass of what is left, by what it names.
        unused: Waivers of what is not there, in words.
    """

    let_pass: list[LetPass]
    left: list[Blocker]
    enough_for: dict[Key, int]
    unused: list[str]


def waived(
    blockers: Sequence[Blocker], stated: Iterable[StatedWaiver], month: Month, by: str
) -> Waived:
    """Let pass what is waived, as far as it is.

    Args:
        blockers: What stands in the way.
        stated: Each names another one.
        month: The month that is closed.
        by: Who closes it.
    """
    named = {each.key: each for each in stated}
    passed: list[LetPass] = []
    left: list[Blocker] = []
    enough_for: dict[Key, int] = {}
    for each in blockers:
        waiver = named.pop(each.key, None)
        if waiver is None or each.count > waiver.at_most:
            left.append(each)
            enough_for |= {each.key: waiver.at_most} if waiver else {}
            continue
        printed = Waiver(what=each.words(month), reason=waiver.reason, by=waiver.by or by)
        passed.append(
            LetPass(what=each.what, tenant=each.tenant, months={**each.months}, waiver=printed)
        )
    unused = [f"waiver of {_named(each)}: nothing of it is there" for each in named.values()]
    return Waived(let_pass=passed, left=left, enough_for=enough_for, unused=unused)


def waivers_toml(blockers: Iterable[Blocker], month: Month) -> str:
    """What would let these pass, but for the reasons."""
    return "\n".join([_HEADING.format(month=month), *(_block(each) for each in blockers)])


def read_waivers(path: Path) -> list[StatedWaiver]:
    """The waivers in a TOML file.

    Raises:
        SettingsError: It cannot be read or used; it has every problem.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        stated = _File.model_validate(document).waiver
    except OSError as error:
        raise SettingsError([f"{path}: cannot be read: {error.strerror}"]) from None
    except ValidationError as error:
        raise SettingsError([_problem(path, each) for each in error.errors()]) from None
    except ValueError as error:  # not TOML, or not UTF-8
        raise SettingsError([f"{path}: is not TOML: {error}"]) from None
    if problems := _twice(path, stated):
        raise SettingsError(problems)
    return stated


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")
    waiver: list[StatedWaiver] = []


def _twice(path: Path, stated: Iterable[StatedWaiver]) -> list[str]:
    counts = Counter(each.key for each in stated)
    first = {each.key: each for each in stated}
    return [
        f"{path}: waiver of {_named(first[key])}: stands there {count} times; one says how much"
        for key, count in counts.items()
        if count > 1
    ]


def _named(waiver: StatedWaiver) -> str:
    names = {"tenant": waiver.tenant, "model": waiver.model, "meter": waiver.meter}
    said = [f"{name} {toml_value(value)}" for name, value in names.items() if value is not None]
    return ", ".join([waiver.what, *said])


def _problem(path: Path, problem: ErrorDetails) -> str:
    """One problem of pydantic's, with rows counted from 1."""
    place = (str(each + 1) if isinstance(each, int) else each for each in problem["loc"])
    if problem["loc"][-1:] == ("reason",) and problem["type"] == "string_pattern_mismatch":
        return f"{path}: {' '.join(place)}: say why; the statements print it"
    told = problem["msg"].removeprefix("Value error, ")
    return f"{path}: {' '.join(place)}: {told}"


def _block(blocker: Blocker) -> str:
    members: dict[str, object] = {"what": blocker.what}
    if blocker.tenant is not None:
        members["tenant"] = blocker.tenant
    if blocker.what == "unpriced":
        members |= {"model": blocker.model or "", "meter": blocker.meter}
    members |= {"at_most": blocker.count, "reason": ""}
    lines = (f"{name} = {toml_value(value)}\n" for name, value in members.items())
    return "".join(["[[waiver]]\n", *lines])
