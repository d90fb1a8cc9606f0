"""What a closed month would be now, against what was billed of it: two sorted streams, joined."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from heapq import merge
from itertools import groupby
from operator import itemgetter

import msgspec

from accountant.charges import Charge, Consumption, Correction, Uncharged
from accountant.closing.shared_changes import described_correction, shared_changes
from accountant.closing.usage_changes import Change, Part, changes
from accountant.money import amount_of
from accountant.usage_charges import UsageKey, described, usage_order
from tollgate.usage.periods import Month

Row = Charge | Uncharged
# Tenant, whether it is usage (0) or stands behind it (1), and the day of usage.
_Place = tuple[str, int, date]


class Corrected(msgspec.Struct, frozen=True):
    """A correction, and what it corrects.

    Args:
        row: What is billed or taken back, or was used and is in no charge. Its line has no number.
        line: What the corrected line was made of: a charge as it was billed.
    """

    row: Row
    line: Charge | None = None


def corrections(
    month: Month, billed: Sequence[Iterable[Row]], now: Iterable[Row]
) -> Iterator[Corrected]:
    """The differences, by tenant, day, billing code, SKU and meter, then other amounts.

    Memory follows a tenant's day, and what is owed beside its usage.

    Args:
        month: The closed one.
        billed: What was closed, and what later statements corrected of it; each in its order.
        now: What would be closed today.
    """
    streams = [_placed(rows, is_billed=True) for rows in billed]
    joined = merge(*streams, _placed(now, is_billed=False), key=itemgetter(0))
    for (_, behind, day), group in groupby(joined, key=itemgetter(0)):
        sides: tuple[list[Row], list[Row]] = ([], [])
        for _, is_billed, row in group:
            sides[not is_billed].append(row)
        yield from _shared(month, *sides) if behind else _usage(month, day, *sides)


def of_month(month: Month, rows: Iterable[Row]) -> Iterator[Row]:
    """What of a later month's rows corrects this one, or is late and in no charge."""
    for row in rows:
        if isinstance(row, Uncharged):
            told = _month_of(row)
        else:
            told = Month.parse(row.correction.month) if row.correction else None
        if told == month:
            yield row


def own_rows(month: Month, rows: Iterable[Row]) -> Iterator[Row]:
    """What of a month's rows is of the month itself, and corrects no other."""
    for row in rows:
        if isinstance(row, Uncharged):
            if _month_of(row) == month:
                yield row
        elif not row.correction:
            yield row


def _month_of(used: Uncharged) -> Month:
    return Month(used.start.year, used.start.month)


def _placed(rows: Iterable[Row], *, is_billed: bool) -> Iterator[tuple[_Place, bool, Row]]:
    """Each with its place in the order that all streams have."""
    tenant, day, behind = "", date.min, False
    for row in rows:
        if isinstance(row, Charge) and row.category == "Rounding":
            continue
        if row.tenant != tenant:
            tenant, day, behind = row.tenant, date.min, False
        behind = behind or row.start < day or not _is_usage(row)
        day = row.start
        place = (tenant, 1, date.min) if behind else (tenant, 0, day)
        yield place, is_billed, row


def _is_usage(row: Row) -> bool:
    if isinstance(row, Uncharged):
        return True
    return row.allocation is None and row.consumed is not None and row.price is not None


def _shared(month: Month, billed: list[Row], now: list[Row]) -> Iterator[Corrected]:
    then, owed = ([row for row in side if isinstance(row, Charge)] for side in (billed, now))
    for each in shared_changes(then, owed):
        told = described_correction(str(month), each.description)
        correction = Correction(month=str(month), statement=None, line=None, reason="cost")
        made = msgspec.structs.replace(each, description=told, correction=correction)
        yield Corrected(made, each)


def _usage(month: Month, day: date, billed: list[Row], now: list[Row]) -> Iterator[Corrected]:
    tenant, then, used = (billed or now)[0].tenant, _parts(billed), _parts(now)
    for key in sorted({*then, *used}, key=usage_order):
        current = used[key][0] if key in used else None
        for change in changes(then.get(key, []), current):
            yield _made(month, (tenant, day, key), change)


def _parts(rows: Iterable[Row]) -> dict[UsageKey, list[Part]]:
    """What was used, by key; of today's, each has one part."""
    found: dict[UsageKey, list[Part]] = {}
    for row in rows:
        if row.consumed:
            used, meter = row.consumed, row.consumed.meter
            price = row.price if isinstance(row, Charge) else None
            part, sku = Part(used.quantity, used.requests, price), used.sku
        elif isinstance(row, Uncharged):
            part, sku, meter = Part(row.requests, row.requests, None), row.sku, None
        else:
            continue
        found.setdefault((row.billing_code, row.user, sku, meter), []).append(part)
    return found


def _made(month: Month, whose: tuple[str, date, UsageKey], change: Change) -> Corrected:
    tenant, day, (code, user, sku, meter) = whose
    consumed = None
    if meter is not None:
        consumed = Consumption(
            sku=sku, meter=meter, quantity=change.quantity, requests=change.requests
        )
    if consumed is None or change.price is None:
        left_out = Uncharged(
            tenant=tenant,
            billing_code=code,
            start=day,
            sku=sku,
            requests=change.requests,
            consumed=consumed,
            user=user,
        )
        return Corrected(left_out)
    amount = amount_of(change.quantity, change.price.charged, change.price.per)
    made = Charge(
        tenant=tenant,
        billing_code=code,
        start=day,
        end=day + timedelta(days=1),
        category="Usage",
        description=described_correction(str(month), described(consumed)),
        amount=amount,
        effective=amount,
        consumed=consumed,
        price=change.price,
        user=user,
        correction=Correction(month=str(month), statement=None, line=None, reason=change.reason),
    )
    line = msgspec.structs.replace(made, price=change.replaces) if change.replaces else None
    return Corrected(made, line)
