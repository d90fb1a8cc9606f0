"""Rows of counters under a payer and a SKU, and the cells that they make."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

import msgspec

from tollgate.ledger.cells import Meter, MoneyCell, Usage, UserCell
from tollgate.usage.sku import Sku

Names = tuple[str | None, ...]
Row = tuple[Names, Sku]  # the names are (billing code,) or (billing code, user)


class Tally:
    """The counters of one row while they change."""

    def __init__(self) -> None:
        self.requests = 0
        self.quantities: Counter[str] = Counter()
        self.counted: Counter[str] = Counter()

    def add(self, counts: Mapping[str, int], sign: int = 1) -> None:
        """Add one request and its counts, or take them back with `sign` -1."""
        self.requests += sign
        for meter, quantity in counts.items():
            self.quantities[meter] += sign * quantity
            self.counted[meter] += sign

    def usage(self) -> Usage:
        """The counters as a cell shows them: meters by name, none without a request."""
        meters = {
            meter: Meter(self.quantities[meter], requests)
            for meter, requests in sorted(self.counted.items())
            if requests
        }
        return Usage(self.requests, meters)


def money_cells(tenant: str, hour: str, rows: Mapping[Row, Usage]) -> Iterator[MoneyCell]:
    """The cells of one tenant and hour, sorted by billing code and SKU."""
    for (code,), sku, usage in _sorted(rows):
        yield MoneyCell(tenant=tenant, hour=hour, billing_code=code, sku=sku, usage=usage)


def user_cells(tenant: str, day: str, rows: Mapping[Row, Usage]) -> Iterator[UserCell]:
    """The cells of one tenant and day, sorted by billing code, user and SKU."""
    for (code, user), sku, usage in _sorted(rows):
        yield UserCell(tenant=tenant, day=day, billing_code=code, user=user, sku=sku, usage=usage)


def _sorted(rows: Mapping[Row, Usage]) -> Iterator[tuple[Names, Sku, Usage]]:
    ranks = {sku: rank for rank, sku in enumerate(sorted({sku for _, sku in rows}, key=_sku_order))}

    def order(row: Row) -> tuple[tuple[tuple[bool, str], ...], int]:
        names, sku = row
        return _order(names), ranks[sku]

    for names, sku in sorted(rows, key=order):
        yield names, sku, rows[names, sku]


def _sku_order(sku: Sku) -> tuple[tuple[bool, str], ...]:
    return _order(msgspec.structs.astuple(sku))


def _order(values: Names) -> tuple[tuple[bool, str], ...]:
    return tuple((value is not None, value or "") for value in values)
