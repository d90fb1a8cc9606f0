"""The commands that look at the archive: `audit`, and `rebuild`, the one that writes."""

# Only --help must be quick, so what a command needs is imported inside it.
# ruff: noqa: PLC0415

from __future__ import annotations

import tempfile
from collections.abc import Generator
from contextlib import aclosing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from accountant.commands import completion
from accountant.commands.charge_reader import Period, RedisUrl
from accountant.commands.delivery import Answer, AnswerLayout, answer
from accountant.commands.problems import ANSWER_IS_NO, read_month, read_url, say, told_problems
from accountant.commands.progress import bar
from tollgate.errors import SettingsError
from tollgate.usage.periods import Month

if TYPE_CHECKING:
    from accountant.audits.audit import Audit, Difference
    from tollgate.ledger.archive_files import ArchiveFile
    from tollgate.ledger.rebuild import Rebuilt

# A completion may lie before what it completes, but not by more than a ledger remembers.
_BEFORE: Final = timedelta(days=9)

Folder = Annotated[
    Path,
    typer.Option(
        metavar="DIR",
        help="JSON Lines by hour, Avro of Event Hubs Capture, or both.",
        show_default=False,
    ),
]
Scratch = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR", help="Where there is room for the archive as JSON. Default: $TMPDIR."
    ),
]
Whose = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="With --ids: whose line.", autocompletion=completion.tenants),
]
Ids = Annotated[
    bool, typer.Option("--ids", help="List the requests behind a statement's line instead.")
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")
]
AsJson = Annotated[bool, typer.Option("--json", hidden=True, help="The same as --format json.")]


def audit(  # noqa: PLR0913, PLR0917  each is an option of the command
    period: Period,
    archive: Folder,
    tenant: Whose = None,
    billing_code: Annotated[
        str | None, typer.Option(metavar="CODE", help='With --ids; "" is unallocated.')
    ] = None,
    model: Annotated[str | None, typer.Option(metavar="NAME", help="With --ids.")] = None,
    meter: Annotated[
        str | None, typer.Option(metavar="NAME", help="With --ids: as a statement names it.")
    ] = None,
    provenance: Annotated[str | None, typer.Option(metavar="NAME", help="With --ids.")] = None,
    when: Annotated[
        str,
        typer.Option(metavar="TIME", help="With --ids: a day 2026-10-15, or hour 2026-10-15T12."),
    ] = "",
    ids: Ids = False,  # noqa: FBT002  typer's way to write a flag
    layout: Answer = AnswerLayout.TEXT,
    as_json: AsJson = False,  # noqa: FBT002  same
    scratch: Scratch = None,
    redis_url: RedisUrl = None,
) -> None:
    """Compare archive, ledger and manifest, and list every difference; exit code 1 if there is one.

    Hours that ended less than 30 minutes ago are left out, and user cells of a day that is not
    over. With --ids, list the requests behind a line of a statement, with what each adds to it.
    """
    as_json = as_json or layout is AnswerLayout.JSON
    with told_problems():
        month = read_month(period)
        if ids:
            if tenant is None:
                raise SettingsError(["--ids: whose line? Give --tenant too"])
            line: dict[str, Any] = {"billing_code": billing_code, "model": model, "meter": meter}
            line |= {"month": month, "tenant": tenant, "provenance": provenance, "period": when}
            _trace(line, archive, scratch, as_json=as_json)
        elif [tenant, billing_code, model, meter, provenance, when or None] != [None] * 6:
            raise SettingsError(["--tenant and what else names a line: give --ids too"])
        else:
            _compare(month, archive, scratch, redis_url, as_json=as_json)


def rebuild(  # noqa: PLR0913, PLR0917  each is an option of the command
    archive: Folder,
    dry_run: DryRun = False,  # noqa: FBT002  typer's way to write a flag
    settle_minutes: Annotated[
        float,
        typer.Option(
            min=0, metavar="MINUTES", help="How long to wait for what Capture still shows."
        ),
    ] = 30,
    layout: Answer = AnswerLayout.TEXT,
    scratch: Scratch = None,
    redis_url: RedisUrl = None,
) -> None:
    """Count the archive anew into a new generation of the ledger, which then replaces the old one.

    Nobody needs to stop: writers and readers go over by themselves. The ledger is as it was until
    the new generation is whole. With --dry-run, exit code 1 says that something would change.
    """
    import asyncio  # help does without

    from accountant.audits.audit_text import as_json, rebuilt_text

    with told_problems(), _scratch(scratch) as folder:
        if dry_run:
            _would_change(archive, folder, read_url(redis_url), layout)
            return
        rebuilt = asyncio.run(_rebuilt(archive, folder, read_url(redis_url), settle_minutes * 60))
        is_json = layout is AnswerLayout.JSON
        answer(as_json(rebuilt) if is_json else f"{rebuilt_text(rebuilt)}\n")


def _compare(
    month: Month, archive: Path, scratch: Path | None, url: str | None, *, as_json: bool
) -> None:
    from accountant.audits.audit_text import as_json as told_as_json
    from accountant.audits.audit_text import audit_lines

    with _scratch(scratch) as folder:
        found = _audited(month, archive, folder, read_url(url))
    answer(told_as_json(found) if as_json else "".join(f"{x}\n" for x in audit_lines(found)))
    if not found.is_clean:
        raise typer.Exit(ANSWER_IS_NO)


def _audited(month: Month, archive: Path, folder: Path, url: str) -> Audit:
    from accountant.audits.audit import Scope
    from accountant.audits.audit import audit as run
    from tollgate.ledger.archive_files import archive_files
    from tollgate.ledger.captured_gaps import gaps
    from tollgate.ledger.generation import current_reader
    from tollgate.ledger.manifest import check
    from tollgate.ledger.recorded import Records

    now = _now()
    files = _since(month, archive_files(archive))
    with _opened(url) as redis, bar() as progress:
        records = Records(
            files, folder, now, lambda done, total: progress("files read", done, total)
        )
        found = run(records, current_reader(redis), Scope(month, now), folder)
    checked = check(archive, now)
    found.breaks = [*checked.breaks, *gaps(files), *found.breaks]
    found.unsealed, found.manifest = checked.unsealed, checked.head
    return found


def _would_change(archive: Path, folder: Path, url: str, layout: AnswerLayout) -> None:
    """An audit of every month that archive or ledger know."""
    from accountant.audits.audit_text import as_json, changes_text
    from tollgate.ledger.archive_files import archive_files

    found: list[Difference] = []
    months = {file.since[:7] for file in archive_files(archive) if file.since}
    for number, month in enumerate(sorted(months)):
        part = folder / str(number)
        part.mkdir()
        found += _audited(Month.parse(month), archive, part, url).differences
    is_json = layout is AnswerLayout.JSON
    answer(as_json({"would_change": found}) if is_json else changes_text(found))
    if found:
        raise typer.Exit(ANSWER_IS_NO)


async def _rebuilt(archive: Path, folder: Path, url: str, settle_s: float) -> Rebuilt:
    from tollgate.connections.redis import open_redis
    from tollgate.ledger.rebuild import Rebuild

    try:
        redis = open_redis(url)
    except ValueError as error:
        raise SettingsError([str(error)]) from None
    async with aclosing(redis):  # whose own entering would raise what Redis says
        with bar() as progress:
            work = Rebuild(redis, archive, folder, _now, settle_s=settle_s, progress=progress)
            return await work.run()


def _trace(wanted: dict[str, Any], archive: Path, scratch: Path | None, *, as_json: bool) -> None:
    from accountant.audits.audit_text import trace_json, trace_lines
    from accountant.audits.trace import Line, requests_behind
    from tollgate.ledger.archive_files import archive_files
    from tollgate.ledger.recorded import Records

    line = Line(**wanted)
    with _scratch(scratch) as folder:
        records = Records(_since(line.month, archive_files(archive)), folder, _now())
        requests = requests_behind(line, records)
    for problem in records.problems:
        say(problem)
    lines = (f"{each}\n" for each in trace_lines(line, requests))
    answer(trace_json(requests) if as_json else "".join(lines))
    if not requests or records.problems:
        raise typer.Exit(ANSWER_IS_NO)


def _since(month: Month, files: list[ArchiveFile]) -> list[ArchiveFile]:
    """The files that may hold events of the month, or what completes them."""
    from tollgate.usage.periods import hour_of

    first = hour_of(month.start - _BEFORE)
    return [file for file in files if not file.since or file.since >= first]


@contextmanager
def _opened(url: str) -> Generator[Any]:
    from tollgate.connections.redis import open_redis_sync

    try:
        redis = open_redis_sync(url)
    except ValueError as error:
        raise SettingsError([str(error)]) from None
    with redis:
        yield redis


@contextmanager
def _scratch(folder: Path | None) -> Generator[Path]:
    """An empty folder that is gone afterwards."""
    try:
        made = tempfile.TemporaryDirectory(prefix="accountant-", dir=folder)
    except OSError as error:
        raise SettingsError([f"--scratch {folder}: {error.strerror}"]) from None
    with made as name:
        yield Path(name)


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251  a command is a composition root
