"""Adding cells up changes nothing that is charged."""

from __future__ import annotations

from accounting import OCTOBER, money_cell, user_cell

from tollgate.ledger.cell_sums import CellSum, cell_sums
from tollgate.ledger.cells import Meter, MoneyCell, Usage

OLD = Usage(3, {"reasoning_output": Meter(30, 3)})
NEW = Usage(5, {"output": Meter(50, 5), "reasoning_output": Meter(20, 2)})


def sums(*cells: MoneyCell, starts: list[str] | None = None) -> list[CellSum]:
    return list(cell_sums(cells, starts or ["2026-10-01"]))


def test_requests_of_older_rows_that_only_reasoned_are_those_of_output_as_well() -> None:
    [found] = sums(
        money_cell(usage=OLD, hour="2026-10-15T12"), money_cell(usage=NEW, hour="2026-10-15T13")
    )
    assert found.usage == Usage(8, {"output": Meter(50, 8), "reasoning_output": Meter(50, 5)})


def test_a_sum_ends_where_the_next_one_starts() -> None:
    hours = ("2026-10-01T00", "2026-10-14T23", "2026-10-15T00", "2026-10-31T23")
    cells = [money_cell(hour=hour) for hour in hours]
    found = sums(*cells, starts=["2026-10-01", "2026-10-15"])
    assert [(each.start, each.usage.requests) for each in found] == [
        ("2026-10-01", 2),
        ("2026-10-15", 2),
    ]


def test_users_are_kept_apart_where_cells_have_them() -> None:
    cells = [user_cell(day=day, user=name) for day in ("2026-10-01", "2026-10-02") for name in "ab"]
    found = list(cell_sums(cells, OCTOBER.days()[:1]))
    assert [(each.user, each.usage.requests) for each in found] == [("a", 2), ("b", 2)]
