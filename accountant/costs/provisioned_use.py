"""What each payer used of provisioned throughput, hour by hour."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Final

import msgspec

from accountant.charges import Cell
from accountant.costs.payers import Payer
from accountant.costs.provisioned_rows import ProvisionedRow
from accountant.costs.reassignments import day_in
from accountant.lines import meter_order
from accountant.meters import TOKEN_METERS
from accountant.rating import priced_meters
from tollgate.ledger.cells import MoneyCell, Usage
from tollgate.usage.sku import Sku

_CACHED: Final = frozenset({"cached_input", "cached_audio_input", "cached_image_input"})
_OUTPUT: Final = frozenset({"output", "audio_output", "image_output"})


class Load(msgspec.Struct):
    """What takes capacity: tokens in that were not cached, and tokens out."""

    uncached: int = 0
    out: int = 0


class Used(msgspec.Struct):
    """What a payer used in the month."""

    tokens: Counter[str]
    requests: int = 0

    def by_meter(self) -> tuple[tuple[str, int], ...]:
        """The tokens by meter, in the order of meters."""
        return tuple(sorted(self.tokens.items(), key=lambda each: meter_order(each[0])))


class ProvisionedUse:
    """Adds up usage that provisioned throughput served.

    Args:
        rows: What is provisioned; `provisioned_clashes` tells whether two serve the same.

    Attributes:
        hours: By row, UTC hour and payer.
        used: By row and payer.
    """

    def __init__(self, rows: Sequence[ProvisionedRow]) -> None:
        self.hours: Final = [defaultdict[str, dict[Payer, Load]](dict) for _ in rows]
        self.used: Final[list[dict[Payer, Used]]] = [{} for _ in rows]
        self._rows = rows
        self._found: dict[tuple[Sku, str], int | None] = {}

    def row_of(self, cell: Cell) -> int | None:
        """Which row served a cell's usage; None: none did."""
        if cell.sku.deployment_type != "provisioned":
            return None
        key = (cell.sku, day_in(cell))
        if key not in self._found:
            day = date.fromisoformat(key[1])
            serving = (
                number
                for number, row in enumerate(self._rows)
                if row.holds_on(day) and row.serves(cell.sku)
            )
            self._found[key] = next(serving, None)
        return self._found[key]

    def add(self, cell: MoneyCell, payer: Payer) -> None:
        """Count a cell, if it was served by one of the rows."""
        number = self.row_of(cell)
        if number is None:
            return
        tokens = token_meters(cell.usage)
        used = self.used[number].setdefault(payer, Used(Counter()))
        used.tokens.update(tokens)
        used.requests += cell.usage.requests
        load = self.hours[number][cell.hour].setdefault(payer, Load())
        for meter, quantity in tokens.items():
            if meter in _OUTPUT:
                load.out += quantity
            elif meter not in _CACHED:
                load.uncached += quantity

    def by_token(self, cell: Cell) -> Cell:
        """The cell without the tokens that are paid for by the hour; its other meters stay."""
        if self.row_of(cell) is None:
            return cell
        rest = {
            name: meter
            for name, meter in cell.usage.meters.items()
            if name not in TOKEN_METERS and name != "reasoning_output"
        }
        return msgspec.structs.replace(cell, usage=Usage(cell.usage.requests, rest))


def token_meters(usage: Usage) -> dict[str, int]:
    """Tokens by meter, as they are priced; those of which there are none are left out."""
    return {
        name: meter.quantity
        for name, meter in priced_meters(usage).items()
        if name in TOKEN_METERS and meter.quantity
    }
