"""`tollgate dead-letters`."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
import typer
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from tollgate.local.terminal import conclude, printable, shown_time
from tollgate.settings import read_environment

if TYPE_CHECKING:  # the commands' help must not load clients
    from tollgate.local.dead_letters import Listing, Row

_SPAN: Final = re.compile(r"(\d{1,4})([mhd])")
_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days"}


class Kind(Enum):
    """What to list."""

    refused = "refused"
    conflict = "conflict"
    late = "late"


class Format(Enum):
    """How to print."""

    table = "table"
    json = "json"


def _since(text: str) -> datetime:
    """The time that a text names: a span before now, or a time in ISO 8601, UTC if it says none."""
    if span := _SPAN.fullmatch(text):
        return datetime.now(UTC) - timedelta(**{_UNITS[span[2]]: int(span[1])})
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is neither a span (30m, 12h, 7d) nor a time (2026-10-31T12:00)"
        ) from None
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


Reason = Annotated[str, typer.Option(metavar="TEXT", help="Only where the reason has this in it.")]
Source = Annotated[str, typer.Option(metavar="TEXT", help="Only where the source has this in it.")]
Since = Annotated[
    datetime | None,
    typer.Option(parser=_since, metavar="TIME", help="Not before: 30m, 12h, 7d, or 2026-10-31."),
]
Blobs = Annotated[
    str | None,
    typer.Option(
        metavar="PLACE",
        help="Also Event Grid's dead-letter blobs: a folder, or the URL of their container.",
    ),
]
KindOption = Annotated[Kind, typer.Option("--kind", help="What to list.")]
As = Annotated[Format, typer.Option("--format", help="How to print.")]


def list_dead_letters(  # noqa: PLR0913  each is an option, as typer has it
    *,
    reason: Reason = "",
    source: Source = "",
    since: Since = None,
    blobs: Blobs = None,
    kind: KindOption = Kind.refused,
    limit: Annotated[int, typer.Option(min=1, metavar="N", help="The oldest N of them.")] = 1000,
    form: As = Format.table,
) -> None:
    """Show each refused event's id, time, source, reason, size.

    The oldest come first.
    Kinds conflict and late are what the ledger knows of, and did not count.
    """
    from tollgate.local.dead_letters import Wanted, list_letters  # noqa: PLC0415  see above

    wanted = Wanted(kind=kind.value, blobs=blobs, reason=reason, source=source, since=since)
    listing = asyncio.run(list_letters(read_environment(), wanted, limit))
    if form is Format.json:
        typer.echo(json.dumps({"kind": kind.value, **msgspec.to_builtins(listing)}))
    else:
        _print_table(listing, kind)


def show(
    letter_id: Annotated[str, typer.Argument(metavar="ID", help="As `list` shows it.")],
    blobs: Blobs = None,
    form: As = Format.table,
) -> None:
    """Print a refused event as it came.

    Its source, time and reason go to standard error; --format json prints all in one object.
    """
    from tollgate.local.dead_letters import find_letter  # noqa: PLC0415  as above

    letter = asyncio.run(find_letter(read_environment(), letter_id, blobs))
    if form is Format.json:
        body = letter.body.decode(errors="replace")
        about = {name: getattr(letter, name) for name in ("id", "source", "reason", "cut_from")}
        told = {**about, "received": letter.received.isoformat(), "body": body}
        typer.echo(json.dumps(told))
        return
    about = f"from {letter.source}, {shown_time(letter.received)}: {letter.reason}"
    if letter.cut_from is not None:
        about += f"; only the first {len(letter.body):,} of {letter.cut_from:,} bytes are kept"
    typer.echo(printable(about), err=True)
    if sys.stdout.isatty():
        typer.echo(printable(letter.body.decode(errors="replace")))
    else:
        sys.stdout.buffer.write(letter.body + b"\n")


def replay(
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="ID", help="As `list` shows them; none for all.")
    ] = None,
    reason: Reason = "",
    source: Source = "",
    since: Since = None,
    blobs: Blobs = None,
) -> None:
    """Send refused events again.

    These are those of the IDs, or all that the options leave. Those that are taken now leave the
    list; when some are refused again, the exit code is 1. What is in blobs stays there; however
    often it is sent, it counts once.
    """
    from tollgate.local.dead_letters import Wanted  # noqa: PLC0415  as above
    from tollgate.local.dead_letters import replay as run  # noqa: PLC0415  same

    wanted = Wanted(
        blobs=blobs, reason=reason, source=source, since=since, ids=frozenset(ids or ())
    )
    conclude(asyncio.run(run(read_environment(), wanted)))


_NOTHING: Final = {
    Kind.refused: "no dead letters",
    Kind.conflict: "no events in conflict",
    Kind.late: "no late events",
}


def _print_table(listing: Listing, kind: Kind) -> None:
    if listing.rows:
        Console().print(_table(listing.rows))
    else:
        typer.echo(_NOTHING[kind])
    if (left_out := listing.matching - len(listing.rows)) > 0:
        typer.echo(f"{left_out:,} more are not shown, see: --limit")
    if kind is Kind.refused:
        _print_beside(listing)


def _print_beside(listing: Listing) -> None:
    """What is not in the list of refused events, and should not be overlooked."""
    if listing.held.beyond:
        typer.echo(f"{listing.held.beyond:,} more were refused when the store was full: not kept")
    if listing.aside.conflicts:
        typer.echo(
            f"in conflict, kept by the ledger: {listing.aside.conflicts:,}; see: --kind conflict"
        )
    if listing.aside.late:
        typer.echo(f"late, kept by the ledger: {listing.aside.late:,}; see: --kind late")


def _table(rows: list[Row]) -> Table:
    columns = [Column(name, overflow="fold") for name in ("received", "source", "reason", "bytes")]
    table = Table(Column("id", no_wrap=True), *columns)
    for row in rows:
        cells = (row.id, shown_time(row.received), row.source, row.reason, str(row.bytes))
        table.add_row(*(Text(printable(cell)) for cell in cells))
    return table
