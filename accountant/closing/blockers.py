"""What stands in the way of a close, by what a waiver must name to let it pass."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, Literal

import msgspec

from accountant.charges import Uncharged
from accountant.labels import label, shown
from accountant.meters import unit_of
from tollgate.usage.periods import Month

Kind = Literal[
    "unpriced",
    "pending",
    "unknown",
    "late",
    "conflict",
    "dead-letter",
    "dead-letter-not-kept",
    "journal",
    "hub-minutes",
    "month-before",
]
# The month that is told of what has none.
NO_MONTH: Final = ""
# What waits at one close was counted by the next; the same amount of it is other events.
_RUNS_DRY: Final[frozenset[Kind]] = frozenset({"journal", "hub-minutes"})
# What, whose, and of which model and meter.
Key = tuple[str, str | None, str | None, str | None]

_WORDS: Final[dict[str, tuple[str, str]]] = {
    "pending": (
        "{count} without a count yet",
        "wait until they are completed",
    ),
    "unknown": ("{count} of which nobody knows the usage", "compare with Azure Monitor"),
    "late": (
        "{count} kept aside: they came after their hour's ids were forgotten",
        "settle them from the archive: accountant rebuild",
    ),
    "conflict": (
        "{count} kept aside: another one has the same id",
        "see: tollgate dead-letters list --kind conflict",
    ),
    "dead-letter": ("{count} refused and kept as dead letters", "see: tollgate dead-letters list"),
    "dead-letter-not-kept": (
        "{count} refused when the store of dead letters was full",
        "count the archive anew: accountant rebuild",
    ),
    "journal": (
        "{count} in the journal of a gateway that does not run, not yet published",
        "start a gateway with that journal",
    ),
    "hub-minutes": ("the ledger is {count} behind the hub", "wait, with --wait-minutes"),
    "month-before": (
        "the month before the books has usage ({count}), and is not closed",
        "close it first, if nothing is closed yet; else bill it apart",
    ),
}
_UNITS: Final = {
    "pending": "request",
    "unknown": "request",
    "month-before": "request",
    "hub-minutes": "minute",
}


class Blocker(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is not in the month's charges, or may not be.

    Args:
        what: Its kind.
        tenant: Whose; None is nobody's in particular.
        model: Of what is unpriced; None is not known, or asked of nothing else.
        meter: Of what is unpriced.
        months: How much by the month that it is of; `NO_MONTH` for what is of none.
    """

    what: Kind
    tenant: str | None = None
    model: str | None = None
    meter: str | None = None
    months: Mapping[str, int]

    @property
    def key(self) -> Key:
        """What a waiver must name."""
        return (self.what, self.tenant, self.model, self.meter)

    @property
    def count(self) -> int:
        """How much there is, of all months."""
        return sum(self.months.values())

    def words(self, month: Month) -> str:
        """What it is, without what to do.

        Args:
            month: The one that is closed; others are named.
        """
        others = [
            f"{count:,} of {each}"
            for each, count in self.months.items()
            if each not in {"", str(month)}
        ]
        whose = f"{shown(self.tenant)}: " if self.tenant is not None else ""
        of_others = f" ({', '.join(others)})" if others else ""
        return f"{whose}{self._told()}{of_others}"

    def advice(self) -> str:
        """What to do."""
        if self.what == "unpriced":
            return "add a rate"
        return _WORDS[self.what][1]

    def _told(self) -> str:
        if self.what == "unpriced":
            meter = str(self.meter).replace("_", " ")
            count = _counted(self.count, unit_of(str(self.meter)))
            return f"{label('model', self.model)} {meter}: {count} without a rate"
        words = _WORDS[self.what][0]
        return words.format(count=_counted(self.count, _UNITS.get(self.what, "event")))


class Left:
    """Counts what is in no charge, while charges are read."""

    def __init__(self) -> None:
        self._months: dict[tuple[Kind, str, str | None, str | None], dict[str, int]] = {}

    def add(self, used: Uncharged) -> None:
        """Count a use that is in no charge."""
        kind: Kind = "pending" if used.sku.provenance == "pending" else "unknown"
        key: tuple[Kind, str, str | None, str | None] = (kind, used.tenant, None, None)
        count = used.requests
        if used.consumed:
            key = ("unpriced", used.tenant, used.sku.model, used.consumed.meter)
            count = used.consumed.quantity
        months = self._months.setdefault(key, {})
        name = f"{used.start:%Y-%m}"
        months[name] = months.get(name, 0) + count

    def blockers(self) -> list[Blocker]:
        """One for each tenant's model and meter, and for what nobody counted."""
        return [
            Blocker(
                what=what,
                tenant=tenant,
                model=model,
                meter=meter,
                months=dict(sorted(months.items())),
            )
            for (what, tenant, model, meter), months in self._months.items()
        ]


def beyond(
    blockers: Iterable[Blocker], let_pass: Mapping[tuple[str, str | None], Mapping[str, int]]
) -> list[Blocker]:
    """What of them was not let pass at an earlier close; what is kept aside stays there for ever.

    What waits somewhere, of no known month, is no longer what waited at another close.

    Args:
        blockers: All that is there.
        let_pass: By kind and tenant, how much of which month.
    """
    found: list[Blocker] = []
    for each in blockers:
        known = {**let_pass.get((each.what, each.tenant), {})}
        if each.what in _RUNS_DRY:
            known.pop(NO_MONTH, None)
        rest = {
            month: count - known.get(month, 0)
            for month, count in each.months.items()
            if count > known.get(month, 0)
        }
        if rest:
            found.append(msgspec.structs.replace(each, months=rest))
    return found


def _counted(count: int, unit: str) -> str:
    return f"{count:,} {unit.replace('_', ' ')}{'s' * (count != 1)}"
