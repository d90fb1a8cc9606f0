"""`accountant report`: what each tenant owes for a month."""

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

from accountant.commands import completion
from accountant.commands.charge_reader import Asked, Period, Rates, RedisUrl, open_month
from accountant.commands.delivery import told_write_problems
from accountant.commands.problems import ANSWER_IS_NO, say, told_problems
from tollgate.errors import SettingsError

if TYPE_CHECKING:
    from accountant.reports.report import Report


class Group(StrEnum):
    """What lines can be grouped by, as it is typed."""

    TENANT = "tenant"
    BILLING_CODE = "billing-code"
    MODEL = "model"
    USER = "user"
    REGION = "region"


def complete_groups(incomplete: str) -> list[str]:
    """Some of them, separated by commas."""
    return completion.fields(Group, incomplete)


By = Annotated[
    list[str] | None,
    typer.Option(
        metavar="FIELD",
        help="Group by tenant, billing-code, model, user or region; repeat, or use "
        "commas, for more. Default: the first three.",
        autocompletion=complete_groups,
    ),
]
Tenant = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Only this tenant's statement.",
        autocompletion=completion.tenants,
    ),
]


class Layout(StrEnum):
    """How a report is written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


_SUFFIX: Final = {Layout.TABLE: "txt", Layout.CSV: "csv", Layout.JSON: "json"}
_DEFAULT_BY: Final = (Group.TENANT, Group.BILLING_CODE, Group.MODEL)


def report(  # noqa: PLR0913, PLR0917  each is an option of the command
    period: Period,
    by: By = None,
    tenant: Tenant = None,
    layout: Annotated[Layout, typer.Option("--format", help="How to write it.")] = Layout.TABLE,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write a file there, not to stdout.")
    ] = None,
    rates: Rates = None,
    redis_url: RedisUrl = None,
) -> None:
    """Price a month and show what each tenant owes.

    Usage without a rate is unpriced, usage that is not known is uncounted; neither is in the total.
    """
    with told_problems():
        groups = _groups(by or _DEFAULT_BY)
        asked = Asked(period=period, tenant=tenant, rates=rates, redis_url=redis_url)
        with open_month(asked) as reader:
            found = reader.report(groups)
            aside = reader.kept_aside()
        _deliver(found, layout, out, tenant)
    for line in aside:
        say(line)
    if not found.statements:
        say(f"no usage in {found.period}" + (f" by tenant {tenant!r}" if tenant else ""))
        raise typer.Exit(ANSWER_IS_NO)


def _groups(typed: Sequence[str]) -> list[str]:
    """What was typed, each once, as the report names it."""
    names = [name.strip() for text in typed for name in text.split(",")]
    unknown = [name for name in names if name not in {*Group}]
    if unknown:
        known = ", ".join(Group)
        raise SettingsError([f"--by: {name!r} is not one of {known}" for name in unknown])
    return [name.replace("-", "_") for name in dict.fromkeys(names)]


def _deliver(found: Report, layout: Layout, out: Path | None, tenant: str | None) -> None:
    """Write the report to a file or to stdout; an empty table is not worth a line."""
    from accountant.reports.report_file import file_name, print_report, write_report

    if layout is Layout.TABLE and not found.statements:
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
    if layout is Layout.CSV:
        from accountant.reports.report_csv import as_csv

        return as_csv(found)
    if layout is Layout.JSON:
        from accountant.reports.report_json import as_json

        return as_json(found)
    from accountant.reports.report_table import as_table

    width = shutil.get_terminal_size().columns if to_terminal else 80
    return as_table(found, width, colour=to_terminal)
