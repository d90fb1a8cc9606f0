"""Counters of a row, and the cells they make."""

from __future__ import annotations

from builders import usage_data

from tollgate.ledger.cells import Meter, Usage
from tollgate.ledger.rows import Row, Tally, money_cells
from tollgate.usage.sku import Sku, sku_of


def sku(model: str | None) -> Sku:
    return sku_of(usage_data(model=model))


def test_a_tally_adds_quantities_and_requests_per_meter() -> None:
    tally = Tally()
    tally.add({"output": 2, "input": 1})
    tally.add({"input": 3})
    assert tally.usage() == Usage(2, {"input": Meter(4, 2), "output": Meter(2, 1)})


def test_what_is_taken_back_leaves_no_meter() -> None:
    tally = Tally()
    tally.add({"input": 1})
    tally.add({"output": 1})
    tally.add({"input": 1}, -1)
    assert tally.usage() == Usage(1, {"output": Meter(1, 1)})


def test_meters_stand_in_the_order_of_their_names() -> None:
    tally = Tally()
    tally.add({"output": 2, "input": 1})
    assert list(tally.usage().meters) == ["input", "output"]


def test_rows_without_a_name_come_first() -> None:
    order: list[Row] = [
        ((None,), sku(None)),
        ((None,), sku("a")),
        (("",), sku("b")),
        (("a",), sku(None)),
    ]
    cells = money_cells("t", "2026-10-01T00", {row: Usage(0, {}) for row in reversed(order)})
    assert [((cell.billing_code,), cell.sku) for cell in cells] == order
