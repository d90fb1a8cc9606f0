from __future__ import annotations

import pytest
from accounting import ledger_of
from builders import event

from accountant.kept_aside import kept_aside_lines
from tollgate.ledger.memory_ledger import MemoryLedger
from tollgate.ledger.outcome import KeptAside


class Ledger(MemoryLedger):
    """A ledger that kept so many events aside."""

    def __init__(self, conflicts: int, late: int) -> None:
        super().__init__()
        self._aside = KeptAside(conflicts, late)

    def kept_aside(self, tenant: str) -> KeptAside:  # noqa: ARG002  the same for all
        return self._aside


@pytest.mark.parametrize(
    ("conflicts", "late", "told"),
    [
        (2, 8, "8 late and 2 conflicting events are"),
        (0, 1200, "1,200 late events are"),
        (1, 0, "1 conflicting event is"),
        (1, 1, "1 late and 1 conflicting events are"),
    ],
)
def test_what_is_kept_aside_is_told(conflicts: int, late: int, told: str) -> None:
    assert [*kept_aside_lines(Ledger(conflicts, late), ["contoso"])] == [
        f"contoso: {told} kept aside and not in these figures"
    ]


def test_a_name_cannot_turn_the_line_around() -> None:
    (line,) = kept_aside_lines(Ledger(0, 1), ["a\u202eb"])
    assert line.startswith("a\ufffdb: ")


def test_only_those_reported_and_concerned_are_named() -> None:
    events = [
        event("1"),
        event("1", user="bob"),
        event("2", tenant="fabrikam"),
        event("3", tenant="adatum"),
        event("3", tenant="adatum", user="bob"),
    ]
    told = [*kept_aside_lines(ledger_of(events), ["contoso", "fabrikam"])]
    assert told == ["contoso: 1 conflicting event is kept aside and not in these figures"]
