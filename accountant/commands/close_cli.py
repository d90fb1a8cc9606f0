"""`accountant close`: a month that never changes again."""

# Only --help must be quick, so what a command needs is imported inside it.
# ruff: noqa: PLC0415

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
import typer

from accountant.commands.charge_reader import (
    Asked,
    BooksCurrency,
    BooksFolder,
    FixedCosts,
    Period,
    Rates,
    RedisUrl,
)
from accountant.commands.delivery import delivered, told_write_problems
from accountant.commands.problems import read_month, say, told_problems
from tollgate.errors import SettingsError

if TYPE_CHECKING:
    from accountant.closing.books import Books
    from accountant.closing.close import CloseRequest, Outcome
    from accountant.closing.seals import Seal
    from accountant.commands.arrivals import Places
    from accountant.costs.cost_files import Costs
    from accountant.rate_cards.rate_card import RateCard

_TRIES: Final = 3
_LONGEST_NAME: Final = 200
_A_WEEK: Final = 7 * 24 * 60
WaiverFile = Annotated[
    Path | None, typer.Option(metavar="FILE.toml", help="What may pass, how much, and why.")
]
HealthUrls = Annotated[
    list[str] | None,
    typer.Option(metavar="URL", help="/health of a gateway or of the Functions app; repeat."),
]


def close(  # noqa: PLR0913, PLR0917  each is an option of the command
    period: Period,
    by: Annotated[str, typer.Option(metavar="NAME", help="Who closes it.", show_default=False)],
    waivers: WaiverFile = None,
    wait_minutes: Annotated[
        float,
        typer.Option(min=0, max=_A_WEEK, metavar="N", help="How long to wait for what runs dry."),
    ] = 0,
    journal: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="A gateway's journal. Default: $TOLLGATE_JOURNAL."),
    ] = None,
    blobs: Annotated[
        str | None,
        typer.Option(metavar="PLACE", help="Event Grid's dead letters: a folder, or a URL."),
    ] = None,
    health: HealthUrls = None,
    rates: Rates = None,
    costs: FixedCosts = None,
    currency: BooksCurrency = None,
    redis_url: RedisUrl = None,
    books: BooksFolder = None,
) -> None:
    """Close a month: its statements get numbers, and it never changes again.

    Refused with exit code 1 while it is not over, or anything of it is unpriced, pending, unknown,
    kept aside, refused or on its way. Every reason is told at once. Stdout then has the waivers
    that would let it pass; say in them why, and give the file with --waivers.

    What changes later is a correction on the statements of the first open month. Closing twice
    does nothing; of two at once, one does it.
    """
    from accountant.commands.arrivals import Places

    places = Places(redis_url=redis_url, journal=journal, blobs=blobs, health=health or ())
    asked = Asked(
        period=period, rates=rates, redis_url=redis_url, costs=costs, currency=currency, books=books
    )
    with told_problems():
        _close(asked, places, (by, waivers), wait_minutes * 60)


def _close(asked: Asked, places: Places, typed: tuple[str, Path | None], wait_s: float) -> None:
    """Close the month, unless it is closed, and say what became of it; never on spoilt books."""
    from accountant.commands.sources import open_card, open_costs
    from accountant.errors import BooksError

    where = open_books_to_close(asked.books)
    if problems := where.problems():
        raise BooksError(problems)
    if sealed := where.closed(read_month(asked.period)):
        say(f"{_known(sealed.seal)} already; nothing is to be done")
        return
    request = _request(where, asked, typed)
    prices = open_card(asked.rates), open_costs(asked.costs, asked.currency)
    with told_write_problems(where.folder):
        outcome = _closed(asked, prices, _looked(request, places, wait_s))
    _tell(outcome)


def open_books_to_close(folder: Path | None) -> Books:
    """The closed months, of which must be said where they are.

    Raises:
        BooksError: They cannot be used.
        SettingsError: Nobody said where.
    """
    from accountant.closing.books import Books
    from accountant.commands.problems import read_books

    where = read_books(folder)
    if where is None:
        raise SettingsError(["which books? Set TOLLGATE_BOOKS, or give --books DIR"])
    return Books(where)


def _request(where: Books, asked: Asked, typed: tuple[str, Path | None]) -> CloseRequest:
    """What was typed, if it can be used at all."""
    from importlib.metadata import version

    from accountant.closing.close import CloseRequest, check_order
    from accountant.closing.waivers import read_waivers

    by, waivers = typed
    month = read_month(asked.period)
    if not by.strip() or not by.isprintable() or len(by) > _LONGEST_NAME:
        raise SettingsError([f"--by: a name of at most {_LONGEST_NAME} characters, in one line"])
    stated = read_waivers(waivers) if waivers else ()
    check_order(where, month)
    return CloseRequest(
        month=month, by=by.strip(), now=_now(), product=version("tollgate"), waivers=stated
    )


def _looked(request: CloseRequest, places: Places, wait_s: float) -> CloseRequest:
    """The same, with what may be missing; waits for it if it was asked to."""
    from accountant.commands.arrivals import arrivals, awaited

    month = request.month
    found = awaited(lambda: arrivals(places, month, _now()), month, _now, wait_s)
    for line in found.unseen:
        say(line)
    return msgspec.structs.replace(
        request, now=_now(), outside=found.blockers, unseen=tuple(found.unseen)
    )


def _closed(asked: Asked, prices: tuple[RateCard, Costs | None], request: CloseRequest) -> Outcome:
    """Close it, again if the ledger moved meanwhile."""
    from accountant.closing.close import Outcome, check_order, month_before
    from accountant.closing.close import close as run
    from accountant.closing.watched_ledger import WatchedLedger
    from accountant.commands.drafts import Drafts
    from accountant.commands.sources import open_ledger

    with open_ledger(asked.redis_url) as ledger:
        for _ in range(_TRIES):
            books, watched = open_books_to_close(asked.books), WatchedLedger(ledger)
            if sealed := books.closed(request.month):  # since we looked first
                return Outcome(sealed, is_ours=False, unused=[])
            check_order(books, request.month)
            drafts = Drafts(watched, *prices)
            reader = drafts.plain(request.month)
            found = drafts.correct(reader, books, watched)
            outside = [*request.outside, *month_before(books, ledger, request.month)]
            whole = msgspec.structs.replace(request, outside=outside, corrects=found.months)
            if outcome := run(books, watched, reader, whole):
                return outcome
    raise SettingsError(
        [f"the ledger takes events of closed months all the time; close {request.month} later"]
    )


def _tell(outcome: Outcome) -> None:

    seal = outcome.sealed.seal
    for line in outcome.unused:
        say(line)
    if not outcome.is_ours:
        say(f"{_known(seal)} at the same time; this one did nothing")
        return
    for each in seal.let_pass:
        say(f"let pass: {each.waiver.what}: {each.waiver.reason} ({each.waiver.by})")
    numbers = [each.number for each in seal.statements]
    span = f", {numbers[0]} to {numbers[-1]}" if numbers else ""
    count = f"{len(numbers):,} statement{'s' * (len(numbers) != 1)}"
    with delivered(None) as write:
        write(f"{seal.month} is closed: {count}{span}, {seal.total} {seal.currency}\n")
        if seal.corrects:
            write(f"it corrects {', '.join(seal.corrects)}\n")
        write(f"digest {outcome.sealed.digest}\n")


def _known(seal: Seal) -> str:
    return f"{seal.month} was closed by {seal.by} on {seal.closed_at:%Y-%m-%d at %H:%M} UTC"


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251  a command is a composition root
