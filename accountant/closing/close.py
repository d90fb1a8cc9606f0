"""Closes a month: writes its charges aside, looks at what is missing, and seals it, or refuses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final, Protocol

import msgspec

from accountant.asides import scratch_file
from accountant.charges import Charge
from accountant.closing.blockers import Blocker, Left, beyond
from accountant.closing.books import Books, before
from accountant.closing.charge_files import ChargeFile, put_in_place, write_charges
from accountant.closing.corrections import Row
from accountant.closing.open_corrections import Draft
from accountant.closing.seals import LetPass, NumberedStatement, Seal, Sealed
from accountant.closing.waivers import StatedWaiver, Waived, waived, waivers_toml
from accountant.closing.watched_ledger import NO_CELLS, WatchedLedger
from accountant.costs.cost_centres import CostCentres
from accountant.errors import CloseRefused
from accountant.money import EXACT, ZERO, rounded, total
from tollgate.ledger.cells import LedgerReader
from tollgate.usage.periods import Month

# Events of a request that ended in the month may come until then.
SETTLE: Final = timedelta(minutes=30)


class CloseRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for.

    Args:
        month: To be closed.
        by: Who closes it.
        now: When, in UTC.
        product: The version of Tollgate.
        waivers: What may pass.
        outside: What may be missing and is not in the ledger's cells.
        unseen: What could not be looked at, in words.
        corrects: The closed months that its statements correct.
    """

    month: Month
    by: str
    now: datetime
    product: str
    waivers: Sequence[StatedWaiver] = ()
    outside: Sequence[Blocker] = ()
    unseen: tuple[str, ...] = ()
    corrects: tuple[str, ...] = ()


class MonthReader(Draft, Protocol):
    """The draft that is closed, corrections of earlier months in it."""

    requests: Counter[tuple[str, str]]
    cost_centres: CostCentres | None


class Outcome(msgspec.Struct, frozen=True):
    """What became of it.

    Args:
        sealed: The month's seal, ours or that of whoever was sooner.
        is_ours: Whether it was closed here and now.
        unused: Waivers of what is not there, in words.
    """

    sealed: Sealed
    is_ours: bool
    unused: list[str]


def check_order(books: Books, month: Month) -> None:
    """Months close one after the other, for corrections stand on the first open one.

    Raises:
        CloseRefused: Another one is next, or this one lies before the books.
    """
    following = books.open_month
    if following is None or month == following:
        return
    first = books.sealed[0].seal.month
    if month < following:
        raise CloseRefused([f"{month} lies before {first}, with which the books begin"])
    raise CloseRefused([f"{following} is next: months are closed in order, and it is open"])


def month_before(books: Books, ledger: LedgerReader, month: Month) -> list[Blocker]:
    """Usage just before the first month of the books, which nobody would be billed for.

    It is looked for at every close: it may come late, when no month can be closed for it any more.
    """
    earlier = before(Month.parse(books.sealed[0].seal.month) if books.sealed else month)
    requests = sum(cell.usage.requests for cell in ledger.money_cells(earlier))
    return [Blocker(what="month-before", months={str(earlier): requests})] if requests else []


def close(
    books: Books, ledger: WatchedLedger, reader: MonthReader, asked: CloseRequest
) -> Outcome | None:
    """Close a month.

    Args:
        books: Where; made if they are not there. `check_order` was asked.
        ledger: What the reader reads.
        reader: The month's charges.
        asked: Which month, by whom, and what may pass.

    Returns:
        None: the ledger took events while it was read, or someone began the books with the month
            before, and nothing was written; try again.

    Raises:
        BooksError: The books cannot be read.
        CloseRefused: With every reason; nothing was written.
        OSError: It cannot be written.
    """
    books.folder.mkdir(parents=True, exist_ok=True)
    with scratch_file(books.folder) as aside:
        seen = _Seen()
        file = write_charges(aside, str(asked.month), seen.of(reader.read()))
        found = _let_pass(books, ledger, seen, asked)
        if ledger.moved:
            return None
        seal = _seal(books, ledger, reader, (asked, file, seen, found.let_pass))
        put_in_place(aside, books.folder, file)
    is_ours = books.add(seal)
    after = Books(books.folder)
    sealed = after.closed(asked.month)
    if not is_ours and (sealed is None or sealed.seal.charges.name != file.name):
        (books.folder / file.name).unlink(missing_ok=True)
    if sealed is None:
        check_order(after, asked.month)
        return None
    return Outcome(sealed, is_ours, found.unused)


class _Seen:
    """What passes by while charges are written."""

    def __init__(self) -> None:
        self.left = Left()
        self.totals: dict[str, Decimal] = {}

    def of(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The rows as they come."""
        for row in rows:
            owed = self.totals.setdefault(row.tenant, ZERO)
            if isinstance(row, Charge):
                self.totals[row.tenant] = EXACT.add(owed, row.amount)
            else:
                self.left.add(row)
            yield row


def settled_at(month: Month) -> datetime:
    """When a month is over, and what was on its way has come; at most the last time there is."""
    return month.end + min(SETTLE, datetime.max.replace(tzinfo=UTC) - month.end)


def _let_pass(books: Books, ledger: WatchedLedger, seen: _Seen, asked: CloseRequest) -> Waived:
    """What was waived; whatever else stands in the way is told at once."""
    reasons: list[str] = []
    until = settled_at(asked.month)
    if asked.now < until:
        reasons.append(
            f"{asked.month} is not over: its events may come until {until:%Y-%m-%d %H:%M} UTC"
        )
    if not books.sealed and ledger.digests.get(str(asked.month)) == NO_CELLS and not seen.totals:
        reasons.append(f"no usage in {asked.month}: books begin with a month that has some")
    outside = beyond(asked.outside, _passed_before(books))
    blockers = [*seen.left.blockers(), *outside]
    found = waived(blockers, asked.waivers, asked.month, asked.by)
    for each in found.left:
        most = found.enough_for.get(each.key)
        of_waiver = "" if most is None else f" (the waiver lets {most:,} pass)"
        reasons.append(f"{each.words(asked.month)}{of_waiver}: {each.advice()}")
    if reasons:
        waivers = waivers_toml(found.left, asked.month) if len(reasons) == len(found.left) else ""
        raise CloseRefused([*reasons, *found.unused], waivers)
    return found


def _passed_before(books: Books) -> dict[tuple[str, str | None], Mapping[str, int]]:
    found: dict[tuple[str, str | None], Counter[str]] = {}
    for sealed in books.sealed:
        for each in sealed.seal.let_pass:
            found.setdefault((each.what, each.tenant), Counter()).update(each.months)
    return {**found}


def _seal(
    books: Books,
    ledger: WatchedLedger,
    reader: MonthReader,
    closed: tuple[CloseRequest, ChargeFile, _Seen, list[LetPass]],
) -> Seal:
    asked, file, seen, let_pass = closed
    last = books.last
    number = last.seal.last_number if last else 0
    statements: list[NumberedStatement] = []
    for tenant in sorted({*seen.totals, *(tenant for tenant, _ in reader.requests)}):
        number += 1
        owed = rounded(seen.totals.get(tenant, ZERO), reader.currency)
        statements.append(
            NumberedStatement(
                tenant=tenant, number=f"{asked.month.year:04d}-{number:06d}", total=owed
            )
        )
    months = [*(each.seal.month for each in books.sealed), str(asked.month)]
    return Seal(
        month=str(asked.month),
        closed_at=asked.now,
        by=asked.by,
        product=asked.product,
        currency=reader.currency,
        draft=reader.edition,
        previous=last.digest if last else None,
        charges=file,
        cells={month: ledger.digests[month] for month in months},
        requests=sorted((*key, count) for key, count in reader.requests.items()),
        statements=statements,
        total=rounded(total(each.total for each in statements), reader.currency),
        last_number=number,
        corrects=asked.corrects,
        let_pass=tuple(let_pass),
        cost_centres=_rows(reader.cost_centres),
        unseen=asked.unseen,
    )


def _rows(centres: CostCentres | None) -> list[dict[str, str]] | None:
    if centres is None:
        return None
    return [row.model_dump(mode="json", exclude_none=True) for row in centres.rows]
