"""Rows of counters under a payer and a SKU, and the cells that they make."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from tollgate.ledger.cells import Meter, MoneyCell, Usage, UserCell
from tollgate.usage.sku import Sku

Names = tuple[str | None, ...]
Row = tuple[Names, Sku]  # the names are (billing code,) or (billing code, user)


# quantity and requests of each meter
Counts = Mapping[str, Sequence[int]]


class Sum:
    """The counters of rows that are added up: requests, and quantity and requests by meter."""

    __slots__ = ("meters", "requests")

    def __init__(self) -> None:
        self.requests = 0
        self.meters: dict[str, list[int]] = {}

    def add(self, requests: int, counts: Counts) -> None:
        """Add requests, and of each meter a quantity and how many requests had any of it."""
        self.requests += requests
        meters = self.meters
        for meter, (quantity, counted) in counts.items():
            known = meters.get(meter)
            if known is None:
                meters[meter] = [quantity, counted]
            else:
                known[0] += quantity
                known[1] += counted

    def merge(self, other: Sum) -> None:
        """Add what another row has."""
        self.add(other.requests, other.meters)

    def usage(self) -> Usage:
        """The counters as a cell shows them, meters by name."""
        return Usage(
            self.requests, {name: Meter(*both) for name, both in sorted(self.meters.items())}
        )


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
    for (code,), sku, usage in in_order(rows):
        yield MoneyCell(tenant=tenant, hour=hour, billing_code=code, sku=sku, usage=usage)


def user_cells(tenant: str, day: str, rows: Mapping[Row, Usage]) -> Iterator[UserCell]:
    """The cells of one tenant and day, sorted by billing code, user and SKU."""
    for (code, user), sku, usage in in_order(rows):
        yield UserCell(tenant=tenant, day=day, billing_code=code, user=user, sku=sku, usage=usage)


def in_order(rows: Mapping[Row, Usage]) -> Iterator[tuple[Names, Sku, Usage]]:
    """Rows by their names, then by SKU."""
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
