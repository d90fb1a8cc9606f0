"""All corrections that the first open month carries: of every closed month, by tenant."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, Protocol

import msgspec

from accountant.closing.books import Books
from accountant.closing.closed_lines import numbered
from accountant.closing.corrections import Row, corrections, of_month, own_rows
from accountant.closing.seals import Seal
from accountant.closing.watched_ledger import NO_CELLS, WatchedLedger
from accountant.edition import Edition
from accountant.errors import BooksError
from tollgate.usage.periods import Month


class Draft(Protocol):
    """A month as it would be closed now, without corrections of others."""

    currency: str

    @property
    def edition(self) -> Edition:
        """What its prices are."""
        ...

    def read(self) -> Iterator[Row]:
        """Its charges, in their stable order."""
        ...


class OpenCorrections(msgspec.Struct, frozen=True, kw_only=True):
    """What the first open month's statements carry.

    Args:
        rows: By tenant: what is billed or taken back, and late usage that is in no charge.
        months: The closed months that are corrected.
    """

    rows: dict[str, list[Row]]
    months: tuple[str, ...]


_GONE: Final = (
    "{month}: is closed with {requests:,} requests, and the ledger has none of them any more; it"
    " would all be taken back. Is this the right ledger? Else see: accountant rebuild"
)
_WITHOUT_COSTS: Final = (
    "{month}: is closed with the fixed costs {costs}, and none are given; they would all be taken"
    " back. Give --costs; if there are none any more, a file that has only [books]"
)


def open_corrections(
    books: Books,
    ledger: WatchedLedger,
    opened: Draft,
    draft: Callable[[Month], Draft],
    tenant: str | None = None,
) -> OpenCorrections:
    """Compare every closed month with what it would be now.

    A month of which the ledger shows what it showed at the last close, at the same prices, is read
    once and no more.

    Args:
        books: The closed months.
        ledger: What the drafts are read from.
        opened: The first open month, whose prices are those of all drafts.
        draft: A month as it would be now.
        tenant: Only this tenant's; None is everyone's.

    Raises:
        BooksError: The books are in another currency, the ledger has lost a closed month, or costs
            are not given that a closed month had.
    """
    rows: dict[str, list[Row]] = {}
    months: list[str] = []
    for sealed in books.sealed:
        _check(sealed.seal, opened, ledger)
        if _is_as_it_was(books, sealed.seal, opened, ledger):
            continue
        found = _of(books, sealed.seal, draft)
        mine = [row for row in found if tenant in {None, row.tenant}]
        for row in mine:
            rows.setdefault(row.tenant, []).append(row)
        months += [sealed.seal.month] * bool(mine)
    return OpenCorrections(rows=rows, months=tuple(months))


def _is_as_it_was(books: Books, seal: Seal, opened: Draft, ledger: WatchedLedger) -> bool:
    """Whether cells and prices are those of the last close, when all was corrected."""
    last = books.sealed[-1].seal
    cells = ledger.digests[seal.month]
    return last.cells.get(seal.month) == cells and last.draft == opened.edition


def _of(books: Books, seal: Seal, draft: Callable[[Month], Draft]) -> list[Row]:
    month = Month.parse(seal.month)
    billed = [own_rows(month, books.charges(seal))]
    billed += [
        of_month(month, books.charges(each.seal))
        for each in books.sealed
        if seal.month in each.seal.corrects
    ]
    found = list(corrections(month, billed, own_rows(month, draft(month).read())))
    return numbered(seal, books.charges(seal), found)


def _check(seal: Seal, opened: Draft, ledger: WatchedLedger) -> None:
    """See to it that what is compared can be; reads the month's cells."""
    if opened.currency != seal.currency:
        problem = f"{seal.month}: is closed in {seal.currency}, and these rates are in {{}}"
        raise BooksError([f"{problem.format(opened.currency)}; books have one currency"])
    if seal.draft.costs is not None and opened.edition.costs is None:
        raise BooksError([_WITHOUT_COSTS.format(month=seal.month, costs=seal.draft.costs)])
    requests = sum(count for *_, count in seal.requests)
    if ledger.digest(Month.parse(seal.month)) == NO_CELLS and requests:
        raise BooksError([_GONE.format(month=seal.month, requests=requests)])
