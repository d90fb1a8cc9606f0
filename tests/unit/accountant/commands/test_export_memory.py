from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from accounting import OCTOBER, card, money_cell
from exporting import BOOKS

from accountant.commands.charge_reader import ChargeReader
from accountant.commands.export_cli import write_tables
from accountant.commands.focus_cli import Told, Version, write_files
from tollgate.ledger.cell_sums import CellSum, cell_sums
from tollgate.ledger.memory_ledger import MemoryLedger
from tollgate.usage.periods import Month

CODES = 25


class Generated(MemoryLedger):
    """A ledger that makes its cells up while they are read, a day of each tenant."""

    def __init__(self, tenants: int) -> None:
        super().__init__()
        self._count = tenants

    def tenants(self) -> list[str]:
        return [f"tenant-{tenant:06}" for tenant in range(self._count)]

    def money_sums(self, tenant: str, month: Month, starts: Sequence[str]) -> Iterator[CellSum]:
        hour, codes = f"{month}-15T12", range(CODES)
        cells = (money_cell(tenant=tenant, hour=hour, billing_code=f"{code:03}") for code in codes)
        return cell_sums(cells, starts)


def focus(reader: ChargeReader, out: Path) -> None:
    write_files(reader, BOOKS, Version.V1_2, (out, Told.CSV))


def table(reader: ChargeReader, out: Path) -> None:
    write_tables(reader, out, ["csv"], told=False)


def peak(write: Callable[[ChargeReader, Path], None], tenants: int, out: Path) -> int:
    """The most that writing so many tenants held at once, in bytes."""
    reader = ChargeReader(OCTOBER, Generated(tenants), card())
    tracemalloc.start()
    write(reader, out)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(reader.tenants) == tenants
    return most


@pytest.mark.parametrize("write", [focus, table])
def test_memory_does_not_follow_the_number_of_rows(
    write: Callable[[ChargeReader, Path], None], tmp_path: Path
) -> None:
    peak(write, 50, tmp_path)  # what is imported and cached stays
    few, many = (peak(write, tenants, tmp_path) for tenants in (20, 200))
    assert many - few < 180 * CODES * 100  # a row alone is 900 bytes of text
