"""The faults that a region has been told to show, and the draw of those that befall a call."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random
from typing import TypeVar

from tollgate.local.simulator.faults import Fault, FaultBase, SlowFirstByte, Subject
from tollgate.local.simulator.json_types import JsonObject

_Kind = TypeVar("_Kind", bound=FaultBase)


@dataclass(frozen=True, slots=True)
class AppliedFaults:
    """The faults that befall one call, at most one of a kind."""

    faults: tuple[Fault, ...] = ()

    def first(self, kind: type[_Kind]) -> _Kind | None:
        """The fault of that kind, or None."""
        return next((fault for fault in self.faults if isinstance(fault, kind)), None)

    @property
    def kinds(self) -> list[str]:
        """The kinds, as the log names them."""
        return [fault.kind for fault in self.faults]


@dataclass(slots=True)
class _Standing:
    number: int
    fault: Fault
    draws: Random = field(repr=False)
    applied: int = 0

    def befalls(self, subject: Subject) -> bool:
        if not self.fault.suits(subject) or self.applied == self.fault.times:
            return False
        sure = self.fault.probability == 1.0
        return sure or self.draws.random() < self.fault.probability


class FaultsInForce:
    """The list of faults, in the order in which they were added."""

    def __init__(self) -> None:
        self._standing: list[_Standing] = []
        self._added = 0

    def add(self, *faults: Fault) -> None:
        """Puts faults into force, after those that already are."""
        for fault in faults:
            self._added += 1
            draws = Random(fault.seed)  # noqa: S311 - chances of a fault, not secrets
            self._standing.append(_Standing(self._added, fault, draws))

    def clear(self) -> None:
        """Puts all faults out of force."""
        self._standing.clear()

    def listed(self) -> list[JsonObject]:
        """The faults in force, with how often each has been applied and may still be."""
        return [
            {
                "number": standing.number,
                "applied": standing.applied,
                "remaining": _remaining(standing),
                "fault": standing.fault.model_dump(mode="json"),
            }
            for standing in self._standing
        ]

    def draw(self, subject: Subject) -> AppliedFaults:
        """The faults that befall a call, and counts them.

        The first one that replaces the answer leaves only `slow_first_byte` beside it.
        """
        befalling = [standing for standing in self._standing if standing.befalls(subject)]
        replacing = [standing for standing in befalling if standing.fault.replaces_answer]
        if replacing:
            slow = [item for item in befalling if isinstance(item.fault, SlowFirstByte)]
            befalling = [*slow, replacing[0]]
        chosen = list(_one_of_a_kind(befalling))
        for standing in chosen:
            standing.applied += 1
        return AppliedFaults(tuple(standing.fault for standing in chosen))


def _remaining(standing: _Standing) -> int | None:
    return None if standing.fault.times is None else standing.fault.times - standing.applied


def _one_of_a_kind(befalling: Iterable[_Standing]) -> Iterable[_Standing]:
    by_kind: dict[str, _Standing] = {}
    for standing in befalling:
        by_kind.setdefault(standing.fault.kind, standing)
    return by_kind.values()
