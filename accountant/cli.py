"""The `accountant` command: the only place here that opens connections."""

# Only --help must be quick, so what a command needs is imported inside it.
# ruff: noqa: PLC0415

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from accountant.commands.archive_commands import audit, rebuild
from accountant.commands.delivery import told_write_problems
from accountant.commands.export_cli import export
from accountant.commands.focus_cli import focus
from accountant.commands.journal_cli import journal
from accountant.commands.problems import ANSWER_IS_NO, read_month, say, told_problems
from accountant.commands.rates_cli import rates_app
from accountant.commands.sources import open_card, open_ledger
from tollgate.errors import SettingsError
from tollgate.usage.periods import Month

if TYPE_CHECKING:
    from accountant.rate_cards.rate_card import RateCard
    from accountant.reports.report import Report

app = typer.Typer(
    name="accountant",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help shows at once
)
app.add_typer(rates_app, name="rates")


class Group(StrEnum):
    """What lines can be grouped by, as it is typed."""

    TENANT = "tenant"
    BILLING_CODE = "billing-code"
    MODEL = "model"
    USER = "user"
    REGION = "region"


class Layout(StrEnum):
    """How a report is written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


_SUFFIX: Final = {Layout.TABLE: "txt", Layout.CSV: "csv", Layout.JSON: "json"}
_DEFAULT_BY: Final = (Group.TENANT, Group.BILLING_CODE, Group.MODEL)


@app.callback()
def accountant() -> None:
    """From the ledger's usage to what each team owes.

    Exit codes: 0 done, 1 the answer is no, 2 bad usage or input.
    """


@app.command()
def report(  # noqa: PLR0913, PLR0917  each is an option of the command
    period: Annotated[str, typer.Argument(metavar="MONTH", help="A month in UTC, as 2026-10.")],
    by: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FIELD",
            help="Group by tenant, billing-code, model, user or region; repeat, or use "
            "commas, for more. Default: the first three.",
        ),
    ] = None,
    tenant: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only this tenant's statement.")
    ] = None,
    layout: Annotated[Layout, typer.Option("--format", help="How to write it.")] = Layout.TABLE,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write a file there, not to stdout.")
    ] = None,
    rates: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH", help="Rate card (TOML, CSV) or directory. Default: list prices."
        ),
    ] = None,
    redis_url: Annotated[
        str | None, typer.Option(metavar="URL", help="The ledger. Default: $TOLLGATE_REDIS_URL.")
    ] = None,
) -> None:
    """Price a month and show what each tenant owes.

    Usage without a rate is unpriced, usage that is not known is uncounted; neither is in the total.
    """
    with told_problems():
        month, groups, card = read_month(period), _groups(by or _DEFAULT_BY), open_card(rates)
        found, aside = _read(redis_url, month, groups, tenant, card)
        _deliver(found, layout, out, tenant)
    for line in aside:
        say(line)
    if not found.requests:
        say(f"no usage in {month}" + (f" by tenant {tenant!r}" if tenant else ""))
        raise typer.Exit(ANSWER_IS_NO)


app.command()(audit)
app.command()(rebuild)
app.command()(focus)
app.command()(journal)
app.command()(export)


def main() -> None:
    """Run the command that was typed."""
    app()


def _groups(typed: Sequence[str]) -> list[str]:
    """What was typed, each once, as the report names it."""
    names = [name.strip() for text in typed for name in text.split(",")]
    unknown = [name for name in names if name not in {*Group}]
    if unknown:
        known = ", ".join(Group)
        raise SettingsError([f"--by: {name!r} is not one of {known}" for name in unknown])
    return [name.replace("-", "_") for name in dict.fromkeys(names)]


def _read(
    url: str | None, month: Month, by: list[str], tenant: str | None, card: RateCard
) -> tuple[Report, list[str]]:
    """The report, and what the ledger keeps aside of those who are in it."""
    from accountant.reports.kept_aside import kept_aside_lines
    from accountant.reports.report import month_cells, month_report

    with open_ledger(url) as ledger:
        found = month_report(month, by, month_cells(ledger, month, by, tenant), card)
        return found, [*kept_aside_lines(ledger, (each.tenant for each in found.statements))]


def _deliver(found: Report, layout: Layout, out: Path | None, tenant: str | None) -> None:
    """Write the report to a file or to stdout; an empty table is not worth a line."""
    from accountant.reports.report_file import file_name, print_report, write_report

    if layout is Layout.TABLE and not found.requests:
        return
    to_terminal = out is None and sys.stdout is not None and sys.stdout.isatty()
    content = _written(found, layout, to_terminal=to_terminal).encode()
    path = out / file_name(str(found.period), tenant, _SUFFIX[layout]) if out else None
    with told_write_problems(path):
        if path is None:
            print_report(content)
        else:
            say(f"wrote {write_report(path.parent, path.name, content)}")


def _written(found: Report, layout: Layout, *, to_terminal: bool) -> str:
    from accountant.reports.report_csv import as_csv
    from accountant.reports.report_json import as_json
    from accountant.reports.report_table import as_table

    if layout is Layout.CSV:
        return as_csv(found)
    if layout is Layout.JSON:
        return as_json(found)
    width = shutil.get_terminal_size().columns if to_terminal else 80
    return as_table(found, width, colour=to_terminal)
