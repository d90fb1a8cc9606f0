"""Cells added up over days that have the same prices: far fewer, and priced the same."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby

import msgspec

from tollgate.ledger.cells import MoneyCell, Usage, UserCell
from tollgate.ledger.rows import Counts, Names, Row, Sum, in_order
from tollgate.usage.periods import day_of_hour
from tollgate.usage.sku import Sku


class CellSum(msgspec.Struct, frozen=True, kw_only=True):
    """What a tenant's billing code used of one SKU on consecutive UTC days.

    Args:
        tenant: Whose it is.
        start: The first of the days.
        billing_code: None is unallocated.
        user: None is not known, or not asked for.
        sku: What was used.
        usage: How much of it.
    """

    tenant: str
    start: str
    billing_code: str | None
    user: str | None
    sku: Sku
    usage: Usage


def cell_sums(cells: Iterable[MoneyCell | UserCell], starts: Sequence[str]) -> Iterator[CellSum]:
    """Add up cells.

    Args:
        cells: Sorted by tenant and hour or day.
        starts: The UTC days on which a new sum begins, sorted; no cell lies before the first.

    Yields:
        By tenant and start, then by billing code, user and SKU.
    """
    for tenant, of_tenant in groupby(cells, lambda cell: cell.tenant):
        for start, some in groupby(of_tenant, lambda cell: start_of(_period(cell), starts)):
            sums: dict[Row, Sum] = {}
            for cell in some:
                counts = {
                    name: (each.quantity, each.requests) for name, each in cell.usage.meters.items()
                }
                found = sums.setdefault((_names(cell), cell.sku), Sum())
                found.add(cell.usage.requests, with_output(counts))
            yield from sums_of(tenant, start, {row: each.usage() for row, each in sums.items()})


def sums_of(tenant: str, start: str, rows: Mapping[Row, Usage]) -> Iterator[CellSum]:
    """The sums of one tenant and start, in their order."""
    for (code, *user), sku, usage in in_order(rows):
        yield CellSum(
            tenant=tenant,
            start=start,
            billing_code=code,
            user=user[0] if user else None,
            sku=sku,
            usage=usage,
        )


def start_of(period: str, starts: Sequence[str]) -> str:
    """The start of the sum that an hour or a day goes into."""
    return starts[bisect_right(starts, day_of_hour(period)) - 1]


def with_output(counts: Counts) -> Counts:
    """Older rows have no `output` where all of it was reasoning; as now, its requests stand there.

    Only so can rows be added up: the requests of `output` are then those of both, in all of them.
    """
    if "reasoning_output" in counts and "output" not in counts:
        return {**counts, "output": (0, counts["reasoning_output"][1])}
    return counts


def _period(cell: MoneyCell | UserCell) -> str:
    return cell.hour if isinstance(cell, MoneyCell) else cell.day


def _names(cell: MoneyCell | UserCell) -> Names:
    return (cell.billing_code, cell.user) if isinstance(cell, UserCell) else (cell.billing_code,)
