"""Compares what the archive says with what the ledger says.

The archive is counted by key, apart from how the ledger and a rebuild count. The sums of both are
laid side by side by DuckDB, which keeps on disk what does not fit in memory.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgspec

from tollgate.ledger.booking import Booking
from tollgate.ledger.cells import OVERFLOW, LedgerReader, MoneyCell, UserCell
from tollgate.ledger.recorded import Recorded, Records
from tollgate.ledger.row_sums import RowSums
from tollgate.ledger.same_key import contradictions, settle
from tollgate.usage.event import decode_event
from tollgate.usage.periods import Month, hour_of
from tollgate.usage.sku import Sku

LEFT_OUT: Final = timedelta(minutes=30)
_KEYS_AT_ONCE: Final = 20_000
_SKU_FIELDS: Final = Sku.__struct_fields__
_encoder: Final = msgspec.json.Encoder()


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """A counter of which archive and ledger do not say the same.

    Args:
        cell: `money`, by hour, or `user`, by day.
        period: The UTC hour or day.
        user: Of user cells.
        meter: A leaf or unit; None is the number of requests.
        archive: Its quantity, and in how many requests, as the archive says.
        ledger: The same as the ledger says.
    """

    cell: str
    tenant: str
    period: str
    billing_code: str | None
    user: str | None
    sku: dict[str, str | None]
    meter: str | None
    archive: tuple[int, int]
    ledger: tuple[int, int]


class Contradiction(msgspec.Struct, frozen=True, kw_only=True):
    """An event that says something else than the first one with its key.

    Args:
        key: The digest of gateway and id, in hexadecimal.
        event_id: Its id.
        counted: Whether it is counted all the same: the ledger could not see the first.
    """

    key: str
    event_id: str
    gateway: str
    tenant: str
    hour: str
    counted: bool


class Audit(msgspec.Struct, kw_only=True):
    """What an audit found.

    Args:
        period: The month.
        until: Hours from this one on were left out.
        events: Events of the month in the archive.
        duplicates: Those that changed nothing.
        differences: Where archive and ledger do not say the same.
        contradictions: Events whose key has another body.
        breaks: What is not as the manifest, or a partition's numbers, say; what cannot be read.
        unsealed: Files of the archive that no manifest covers yet.
        manifest: The digest of its last entry.
    """

    period: str
    until: str
    events: int = 0
    duplicates: int = 0
    differences: list[Difference] = []
    contradictions: list[Contradiction] = []
    breaks: list[str] = []
    unsealed: list[str] = []
    manifest: str = ""

    @property
    def is_clean(self) -> bool:
        """Whether nothing was found that should not be."""
        return not (self.differences or self.contradictions or self.breaks)


class Scope(msgspec.Struct, frozen=True):
    """What is compared: a month's hours and days that ended `LEFT_OUT` ago.

    Args:
        month: The month.
        now: The time of the audit.
    """

    month: Month
    now: datetime

    @property
    def until(self) -> str:
        """The first hour that is left out."""
        return hour_of(min(self.now - LEFT_OUT, self.month.end))

    def has(self, period: str) -> bool:
        """Whether an hour, or a day with all of its hours, is compared."""
        last = period if "T" in period else f"{period}T23"
        return period.startswith(f"{self.month}-") and last < self.until


def audit(records: Records, ledger: LedgerReader, scope: Scope, scratch: Path) -> Audit:
    """Compare the archive's month with the ledger's.

    Args:
        records: The archive from the month on: an event may be recorded later.
        ledger: The ledger.
        scope: What to compare.
        scratch: An empty folder for what does not fit in memory.

    Raises:
        StoreUnavailable: The ledger did not answer.
    """
    found = Audit(period=str(scope.month), until=scope.until)
    rows = scratch / "rows.jsonl"
    with rows.open("wb") as file:
        known = _write_ledger(file, ledger, scope)
        _write_archive(file, records, scope, found, known)
    found.differences = list(_differences(rows, scratch))
    found.breaks += records.problems
    return found


Known = dict[
    tuple[str, ...], set[str | None]
]  # names with a cell of their own, by tenant (and day)


def _write_ledger(file: BinaryIO, ledger: LedgerReader, scope: Scope) -> Known:
    known: Known = {}
    for cell in ledger.money_cells(scope.month):
        known.setdefault((cell.tenant,), set()).add(cell.billing_code)
        if scope.has(cell.hour):
            _write(file, "ledger", "money", cell.hour, cell)
    for cell in ledger.user_cells(scope.month):
        known.setdefault((cell.tenant, cell.day), set()).add(cell.user)
        if scope.has(cell.day):
            _write(file, "ledger", "user", cell.day, cell)
    return known


def _write(file: BinaryIO, side: str, kind: str, period: str, cell: MoneyCell | UserCell) -> None:
    user = cell.user if isinstance(cell, UserCell) else None
    meters = {name: [meter.quantity, meter.requests] for name, meter in cell.usage.meters.items()}
    place = (kind, cell.tenant, period, cell.billing_code, user)
    _write_row(file, side, place, msgspec.structs.astuple(cell.sku), (cell.usage.requests, meters))


def _write_row(file: BinaryIO, side: str, place: Any, sku: Any, usage: Any) -> None:
    """A line for each counter: side, the row's place as JSON, meter, quantity, requests."""
    requests, meters = usage
    row = _encoder.encode((*place, sku)).decode()
    for meter, (quantity, counted) in {None: (requests, requests), **meters}.items():
        line = {"side": side, "row": row, "meter": meter, "quantity": quantity, "n": counted}
        file.write(_encoder.encode(line) + b"\n")


def _write_archive(
    file: BinaryIO, records: Records, scope: Scope, found: Audit, known: Known
) -> None:
    sums = RowSums()
    for number, recorded in enumerate(records.by_key(), start=1):
        _settle(recorded, scope, found, sums)
        if number % _KEYS_AT_ONCE == 0:
            _write_sums(file, sums, scope, known)
            sums = RowSums()
    _write_sums(file, sums, scope, known)


def _settle(recorded: Recorded, scope: Scope, found: Audit, sums: RowSums) -> None:
    in_month = [each for each in recorded.bookings if each.hour.startswith(f"{scope.month}-")]
    found.events += len(in_month)
    conflicts: list[Booking] = []
    for bookings in recorded.by_tenant():
        settled = settle(bookings)
        conflicts += settled.conflicts
        if in_month:
            found.duplicates += settled.duplicates
        for count in settled.counts:
            sums.correct(count, 1)
    if in_month and len(recorded.bookings) > 1:
        unseen = {id(each) for each in contradictions(recorded.bookings)}
        refused = {id(each) for each in conflicts}
        found.contradictions += [
            _contradiction(each, counted=id(each) not in refused)
            for each in recorded.bookings
            if id(each) in unseen | refused
        ]


def _contradiction(booking: Booking, *, counted: bool) -> Contradiction:
    event = decode_event(booking.raw).event
    return Contradiction(
        key=booking.key.hex(),
        event_id=event.id,
        gateway=event.data.gateway,
        tenant=booking.tenant,
        hour=booking.hour,
        counted=counted,
    )


def _write_sums(file: BinaryIO, sums: RowSums, scope: Scope, known: Known) -> None:
    for kind, table in (("money", sums.money), ("user", sums.users)):
        for (tenant, period), rows in table.items():
            if scope.has(period):
                for (names, sku), each in rows.items():
                    place = (kind, tenant, period, *_names(names, tenant, period, known))
                    values = msgspec.structs.astuple(sku)
                    _write_row(file, "archive", place, values, (each.requests, each.meters))


def _names(
    names: tuple[str | None, ...], tenant: str, period: str, known: Known
) -> tuple[str | None, str | None]:
    """Billing code and user, as the ledger has them: beyond its limits, names share one cell."""
    code = _own(names[0], known.get((tenant,)))
    return (code, _own(names[1], known.get((tenant, period)))) if len(names) > 1 else (code, None)


def _own(name: str | None, known: set[str | None] | None) -> str | None:
    return OVERFLOW if known and OVERFLOW in known and name not in known else name


_SQL: Final = """
select "row", meter,
  coalesce(sum(quantity) filter (side = 'archive'), 0)::varchar,
  coalesce(sum(n) filter (side = 'archive'), 0)::varchar,
  coalesce(sum(quantity) filter (side = 'ledger'), 0)::varchar,
  coalesce(sum(n) filter (side = 'ledger'), 0)::varchar
from read_json(?, format = 'newline_delimited', columns = {
  side: 'varchar', "row": 'varchar', meter: 'varchar', quantity: 'hugeint', n: 'hugeint'})
group by all
having (sum(quantity) filter (side = 'archive'), sum(n) filter (side = 'archive'))
  is distinct from (sum(quantity) filter (side = 'ledger'), sum(n) filter (side = 'ledger'))
order by "row", meter nulls first
"""


def _differences(rows: Path, scratch: Path) -> Iterable[Difference]:
    import duckdb  # noqa: PLC0415  only an audit needs it

    settings: dict[str, Any] = {
        "temp_directory": str(scratch),
        "memory_limit": "512MB",
        "threads": 1,
    }
    with duckdb.connect(config=settings) as database:
        found: list[tuple[Any, ...]] = database.execute(_SQL, [str(rows)]).fetchall()
    for row, meter, *figures in found:
        archive_sum, archive_requests, ledger_sum, ledger_requests = map(int, figures)
        kind, tenant, period, code, user, sku = msgspec.json.decode(row)
        yield Difference(
            cell=kind,
            tenant=tenant,
            period=period,
            billing_code=code,
            user=user,
            sku=dict(zip(_SKU_FIELDS, sku, strict=True)),
            meter=meter,
            archive=(archive_sum, archive_requests),
            ledger=(ledger_sum, ledger_requests),
        )
