"""The `accountant` command: the only place here that opens connections."""

# Only --help must be quick, so what a command needs is imported inside it.
# ruff: noqa: PLC0415

from __future__ import annotations

import shutil
import sys
from collections.abc import Generator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final
from urllib.parse import quote

import typer

from accountant.errors import NoSuchTenant, RateCardError
from tollgate.errors import SettingsError, TollgateError
from tollgate.usage.periods import Month

if TYPE_CHECKING:
    from accountant.rate_card import RateCard
    from accountant.report import Report
    from tollgate.ledger.cells import LedgerReader

ANSWER_IS_NO: Final = 1
BAD_INPUT: Final = 2

app = typer.Typer(
    name="accountant",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help shows at once
)


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
        list[Group] | None,
        typer.Option(
            metavar="FIELD",
            help="Group by tenant, billing-code, model, user or region; repeat for more. "
            "Default: the first three.",
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
        typer.Option(metavar="PATH", help="TOML rate card or directory. Default: list prices."),
    ] = None,
    redis_url: Annotated[
        str | None, typer.Option(metavar="URL", help="The ledger. Default: $TOLLGATE_REDIS_URL.")
    ] = None,
) -> None:
    """Price a month and show what each tenant owes.

    Usage without a rate is shown as unpriced and is not in the total.
    """
    with _told_problems():
        month = _month(period)
        groups = [group.replace("-", "_") for group in dict.fromkeys(by or _DEFAULT_BY)]
        card = _card(rates)
        with _ledger(redis_url) as ledger:
            found = _report(ledger, month, groups, tenant, card)
        _deliver(found, layout, out, tenant)
    if not found.requests:
        _say(f"no usage in {month}" + (f" by tenant {tenant!r}" if tenant else ""))
        raise typer.Exit(ANSWER_IS_NO)


def main() -> None:
    """Run the command that was typed."""
    app()


def _month(text: str) -> Month:
    try:
        return Month.parse(text)
    except ValueError as error:
        raise SettingsError([str(error)]) from None


def _card(path: Path | None) -> RateCard:
    from accountant.rate_files import SHIPPED_RATES, load_rate_card

    return load_rate_card(path or SHIPPED_RATES)


def _report(
    ledger: LedgerReader, month: Month, by: list[str], tenant: str | None, card: RateCard
) -> Report:
    from accountant.report import month_cells, month_report

    return month_report(month, by, month_cells(ledger, month, by, tenant), card)


@contextmanager
def _ledger(url: str | None) -> Generator[LedgerReader]:
    """The ledger behind a URL, or behind the environment's."""
    from tollgate.connections.redis import open_redis_sync
    from tollgate.ledger.redis_reader import RedisReader
    from tollgate.settings import redis_url

    where = url or redis_url()
    if not where:
        raise SettingsError(
            ["which ledger? Set TOLLGATE_REDIS_URL, or give --redis-url redis://HOST:PORT/0"]
        )
    try:
        redis = open_redis_sync(where)
    except ValueError as error:
        raise SettingsError([str(error)]) from None
    with redis:
        yield RedisReader(redis)


def _deliver(found: Report, layout: Layout, out: Path | None, tenant: str | None) -> None:
    """Write the report to a file or to stdout; an empty table is not worth a line."""
    from accountant.report_file import write_report

    if layout is Layout.TABLE and not found.requests:
        return
    content = _written(found, layout, to_terminal=out is None and sys.stdout.isatty()).encode()
    if out is None:
        typer.echo(content, nl=False)
        return
    of_tenant = f".{quote(tenant, safe='')}" if tenant else ""
    path = out / f"report-{found.period}{of_tenant}.{_SUFFIX[layout]}"
    try:
        _say(f"wrote {write_report(path.parent, path.name, content)}")
    except OSError as error:
        raise SettingsError([f"cannot write {path}: {error.strerror}"]) from None


def _written(found: Report, layout: Layout, *, to_terminal: bool) -> str:
    from accountant.report_csv import as_csv
    from accountant.report_json import as_json
    from accountant.report_table import as_table

    if layout is Layout.CSV:
        return as_csv(found)
    if layout is Layout.JSON:
        return as_json(found)
    width = shutil.get_terminal_size().columns if to_terminal else 80
    return as_table(found, width, colour=to_terminal)


@contextmanager
def _told_problems() -> Generator[None]:
    """Say what went wrong, a line a problem, and exit as the contract says."""
    try:
        yield
    except NoSuchTenant as error:
        _say(str(error))
        raise typer.Exit(ANSWER_IS_NO) from None
    except (RateCardError, SettingsError) as error:
        for problem in error.problems:
            _say(problem)
        raise typer.Exit(BAD_INPUT) from None
    except TollgateError as error:
        _say(str(error))
        raise typer.Exit(BAD_INPUT) from None


def _say(line: str) -> None:
    typer.echo(f"accountant: {line}", err=True)
