"""`accountant reconcile`: the ledger against Azure Monitor, the gateway's log and the invoice."""

# Only --help must be quick, so what a command needs is imported inside it.
# ruff: noqa: PLC0415

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import typer
from msgspec import structs

from accountant.commands.charge_reader import (
    Asked,
    BooksCurrency,
    FixedCosts,
    Period,
    Rates,
    RedisUrl,
)
from accountant.commands.delivery import delivered, delivered_together
from accountant.commands.problems import ANSWER_IS_NO, read_month, say, told_problems
from accountant.commands.reconcile_options import (
    AccountsFiles,
    Format,
    Invoice,
    Layout,
    Metrics,
    Monitor,
    Names,
    OutDir,
    TemplateFile,
    Tolerance,
    TrueUpMethod,
    TrueUpOption,
    WorkspaceId,
)
from tollgate.errors import SettingsError

if TYPE_CHECKING:
    from accountant.commands.reconcile_reading import Compared, Sources

_SUFFIX: Final = {Layout.TABLE: "txt", Layout.CSV: "csv", Layout.JSON: "json"}
_WIDTH: Final = 80
_ALL_PERCENT: Final = Decimal(100)


class _Files(NamedTuple):
    """What to read, as typed."""

    invoice: Sequence[Path]
    metrics: Sequence[Path]
    names: Path | None


class _Asking(NamedTuple):
    """What to ask Azure, and how much may differ, as typed."""

    monitor: bool
    workspace: str | None
    tolerance: str


class _Wanted(NamedTuple):
    """What to write, as typed."""

    layout: Layout
    out: Path | None
    true_up: TrueUpMethod | None
    template: Path | None
    accounts: Sequence[Path]


def reconcile(  # noqa: PLR0913, PLR0917  each is an option of the command
    period: Period,
    invoice: Invoice = None,
    metrics: Metrics = None,
    monitor: Monitor = False,  # noqa: FBT002  typer's way to write a flag
    workspace: WorkspaceId = None,
    names: Names = None,
    tolerance: Tolerance = "0",
    true_up: TrueUpOption = None,
    template: TemplateFile = None,
    accounts: AccountsFiles = None,
    layout: Format = Layout.TABLE,
    out: OutDir = None,
    rates: Rates = None,
    costs: FixedCosts = None,
    currency: BooksCurrency = None,
    redis_url: RedisUrl = None,
) -> None:
    """Compare a month with what the provider counted and billed, by day and deployment.

    Each difference is explained as far as both sides are known. Days to which the provider may
    still add are shown, but do not count. A closed month is compared as the ledger has it now,
    at the prices given. Exit code 1: a difference is unexplained, or the ledger has no usage.
    """
    asked = Asked(period=period, rates=rates, redis_url=redis_url, costs=costs, currency=currency)
    files = _Files(invoice or (), metrics or (), names)
    wanted = _Wanted(layout, out, true_up, template, accounts or ())
    with told_problems():
        _run(asked, files, _Asking(monitor, workspace, tolerance), wanted)


def _run(asked: Asked, files: _Files, asking: _Asking, wanted: _Wanted) -> None:
    from accountant.commands.reconcile_reading import Sources, compare
    from accountant.reconciliation.reconcile import Terms

    now = datetime.now(UTC)  # noqa: TID251  a command is a composition root
    sources = Sources(
        month=read_month(asked.period),
        asked=asked,
        invoice=tuple(files.invoice),
        metrics=tuple(files.metrics),
        monitor=asking.monitor,
        workspace=asking.workspace,
        names=files.names,
        terms=Terms(now=now, tolerance=_tolerance(asking.tolerance)),
    )
    _check(sources, wanted)
    _answer(sources, compare(sources), wanted)


def _answer(sources: Sources, compared: Compared, wanted: _Wanted) -> None:
    """Write everything, and exit 1 if the answer is no."""
    text = _written(sources, compared, wanted)
    if wanted.out is None:
        with delivered(None) as write:
            write(text)
    else:
        path = wanted.out / f"reconcile-{sources.month}.{_SUFFIX[wanted.layout]}"
        files = {path: text, **_true_up_files(sources, compared, wanted, wanted.out)}
        with delivered_together(*files) as writes:
            for write, content in zip(writes, files.values(), strict=True):
                write(content)
    if not compared.requests:
        say(f"no usage in {sources.month}")
    if not compared.requests or not all(each.agrees for each in compared.found):
        raise typer.Exit(ANSWER_IS_NO)


def _check(sources: Sources, wanted: _Wanted) -> None:
    """Whether what was typed goes together; every problem at once."""
    problems: list[str] = []
    if not sources.kinds:
        problems.append(
            "compare with what? Give --invoice FILE, --metrics FILE, --monitor or --workspace GUID"
        )
    if wanted.true_up and not sources.invoice:
        problems.append("--true-up needs --invoice FILE, to which it makes the ledger equal")
    if wanted.true_up and wanted.out is None:
        problems.append("--true-up needs --out DIR, where its files go")
    if not wanted.true_up and (wanted.template or wanted.accounts):
        problems.append("--template and --accounts are of --true-up")
    if problems:
        raise SettingsError(problems)


def _tolerance(percent: str) -> Decimal:
    """A percentage as a part of 1."""
    from accountant.reconciliation.csv_files import number_of

    number = number_of(percent)
    if number is None or not 0 <= number <= _ALL_PERCENT:
        raise SettingsError([f"--tolerance-percent: {percent!r} is no number from 0 to 100"])
    return number / _ALL_PERCENT


def _written(sources: Sources, compared: Compared, wanted: _Wanted) -> str:
    from accountant.reconciliation.reconciliation_csv import as_csv
    from accountant.reconciliation.reconciliation_json import as_json
    from accountant.reconciliation.reconciliation_table import as_table

    if wanted.layout is Layout.CSV:
        return as_csv(sources.month, compared.found)
    if wanted.layout is Layout.JSON:
        return as_json(sources.month, sources.terms.tolerance, compared.found)
    to_terminal = wanted.out is None and sys.stdout is not None and sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if to_terminal else _WIDTH
    return as_table(sources.month, compared.found, width, colour=to_terminal)


def _true_up_files(
    sources: Sources, compared: Compared, wanted: _Wanted, out: Path
) -> dict[Path, str]:
    """The entry as JSON, and as rows of a journal; none if it is not asked for, or is nothing."""
    from accountant.exports.account_files import read_accounts
    from accountant.exports.journal_template import DEFAULT, journal_csv, read_template
    from accountant.reconciliation.reconciliation_json import true_up_json
    from accountant.reconciliation.true_up import books_of, postings_of, true_up

    if wanted.true_up is None:
        return {}
    template = read_template(wanted.template) if wanted.template else DEFAULT
    accounts = read_accounts(wanted.accounts)
    if compared.cost_centres:
        accounts = structs.replace(accounts, teams=compared.cost_centres.cost_centre)
    (invoiced,) = (each for each in compared.found if each.source == "invoice")
    entry = true_up(sources.month, invoiced, compared.owed, wanted.true_up.value)
    if not entry.lines:
        say("no true-up: the invoice and the ledger are the same to the smallest unit")
        return {}
    rows = journal_csv(postings_of(entry, accounts), books_of(entry), template)
    name = f"true-up-{entry.period}"
    return {out / f"{name}.csv": rows, out / f"{name}.json": true_up_json(entry)}
