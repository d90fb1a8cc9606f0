"""The `accountant` command: the only place here that opens connections."""

# Imports that a command needs and `--help` does not stand inside functions.
# ruff: noqa: PLC0415

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final
from urllib.parse import quote

import typer

from tollgate.errors import SettingsError, TollgateError
from tollgate.usage.periods import Month

if TYPE_CHECKING:
    from accountant.report import Report
    from tollgate.ledger.cells import LedgerReader

ANSWER_IS_NO: Final = 1
BAD_INPUT: Final = 2

app = typer.Typer(
    name="accountant",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


class Group(StrEnum):
    """What lines can be grouped by, as it is typed."""

    TENANT = "tenant"
    BILLING_CODE = "billing-code"
    MODEL = "model"
    USER = "user"
    REGION = "region"


class Format(StrEnum):
    """How a report is written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


_SUFFIX: Final = {Format.TABLE: "txt", Format.CSV: "csv", Format.JSON: "json"}
_DEFAULT_BY: Final = (Group.TENANT, Group.BILLING_CODE, Group.MODEL)


@app.callback()
def accountant() -> None:
    """From the ledger's usage to what each team owes.

    Exit codes: 0 done, 1 the answer is no, 2 bad usage or input.
    """


@app.command()
def report(  # noqa: PLR0913  each is an option of the command
    period: Annotated[str, typer.Argument(metavar="MONTH", help="The month, as 2026-10; UTC.")],
    by: Annotated[
        list[Group],
        typer.Option(help="Group the lines by this; repeat for more.", show_default=False),
    ] = list(_DEFAULT_BY),  # noqa: B008  read once, never changed
    tenant: Annotated[str | None, typer.Option(help="Only this tenant's statement.")] = None,
    layout: Annotated[Format, typer.Option("--format", help="How to write it.")] = Format.TABLE,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", file_okay=False, help="Write a file here, not to stdout."),
    ] = None,
    rates: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE|DIR",
            exists=True,
            help="Rate card: one TOML file, or a directory of them. Default: list prices.",
        ),
    ] = None,
    redis_url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="The ledger. Default: TOLLGATE_REDIS_URL."),
    ] = None,
) -> None:
    """Print a month's chargeback: what each tenant used, at which price, and the total.

    Usage without a rate is shown as unpriced, and is not in the total.
    """
    with _problems_on_stderr():
        month = Month.parse(period)
        groups = [group.replace("-", "_") for group in dict.fromkeys(by)]
        card = _card(rates)
        with _ledger(redis_url) as ledger:
            found = _report(ledger, month, groups, tenant, card)
        _deliver(found, layout, out, tenant)
        if not found.requests:
            _say(f"no usage in {month}" + (f" of tenant {tenant!r}" if tenant else ""))
            raise typer.Exit(ANSWER_IS_NO)


def main() -> None:
    """Run the command."""
    app()
