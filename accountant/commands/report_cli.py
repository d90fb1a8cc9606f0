"""`accountant report`: what each tenant owes for a month."""

# Only --help must be quick, so what a command needs is imported inside it.
# ruff: noqa: PLC0415

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from accountant.commands import completion
from accountant.commands.charge_reader import (
    Asked,
    BooksCurrency,
    BooksFolder,
    ChargeReader,
    FixedCosts,
    Period,
    Rates,
    RedisUrl,
    open_month,
)
from accountant.commands.delivery import told_write_problems
from accountant.commands.problems import ANSWER_IS_NO, say, told_problems
from tollgate.errors import SettingsError
from tollgate.usage.periods import Month

if TYPE_CHECKING:
    from accountant.reports.report import Report
    from accountant.statements.statement_files import DocumentFormat


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
    XLSX = "xlsx"
    HTML = "html"
    MD = "md"
    PDF = "pdf"


_SUFFIX: Final = {Layout.TABLE: "txt", Layout.CSV: "csv", Layout.JSON: "json"}
_DOCUMENTS: Final[dict[Layout, DocumentFormat]] = {
    Layout.XLSX: "xlsx",
    Layout.HTML: "html",
    Layout.MD: "md",
    Layout.PDF: "pdf",
}
_ONLY_FILES: Final = frozenset({Layout.XLSX, Layout.PDF})
_DEFAULT_BY: Final = (Group.TENANT, Group.BILLING_CODE, Group.MODEL)


def report(  # noqa: PLR0913, PLR0917  each is an option of the command
    period: Period,
    by: By = None,
    tenant: Tenant = None,
    layout: Annotated[Layout, typer.Option("--format", help="How to write it.")] = Layout.TABLE,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Write a file a tenant and one of the month there, not to stdout."
        ),
    ] = None,
    rates: Rates = None,
    costs: FixedCosts = None,
    currency: BooksCurrency = None,
    redis_url: RedisUrl = None,
    books: BooksFolder = None,
) -> None:
    """Price a month and show what each tenant owes.

    Usage without a rate is unpriced, usage that is not known is uncounted; neither is in the total.
    Formats xlsx, html, md and pdf are statements to forward, by billing code and model.
    """
    with told_problems():
        groups = _groups(by or _DEFAULT_BY)
        _check(layout, by, out)
        asked = Asked(
            period=period,
            tenant=tenant,
            rates=rates,
            redis_url=redis_url,
            costs=costs,
            currency=currency,
            books=books,
        )
        with open_month(asked) as reader:
            count = _delivered(reader, groups, (layout, out, tenant))
            aside = reader.kept_aside()
    _conclude(count, aside, (reader.month, tenant))


def _conclude(count: int, aside: Sequence[str], whose: tuple[Month, str | None]) -> None:
    """Say what is not in the report; exit 1 if that is everything."""
    month, tenant = whose
    for line in aside:
        say(line)
    if not count:
        say(f"no usage in {month}" + (f" by tenant {tenant!r}" if tenant else ""))
        raise typer.Exit(ANSWER_IS_NO)


def _check(layout: Layout, by: Sequence[str] | None, out: Path | None) -> None:
    """Whether the options go together; every problem at once."""
    problems: list[str] = []
    if layout in _DOCUMENTS and by:
        problems.append(f"--by: {layout} is by billing code and model; use table, csv or json")
    if layout in _ONLY_FILES and out is None:
        problems.append(f"--format {layout} writes files: say where with --out DIR")
    if problems:
        raise SettingsError(problems)


def _delivered(
    reader: ChargeReader, groups: Sequence[str], how: tuple[Layout, Path | None, str | None]
) -> int:
    """Deliver the month; how many statements there are."""
    from accountant.commands.statement_delivery import (
        printed_documents,
        write_documents,
        write_reports,
    )

    layout, out, tenant = how
    if layout in _DOCUMENTS and out:
        return write_documents(reader, _DOCUMENTS[layout], out, tenant)
    if layout in _DOCUMENTS:
        content, count = printed_documents(reader, _DOCUMENTS[layout], tenant)
        if count:
            _print(content)
        return count
    if out and tenant is None:
        written = (partial(_written, layout=layout, to_terminal=False), _SUFFIX[layout])
        return len(write_reports(reader, groups, out, written).statements)
    found = reader.report(groups)
    _deliver(found, layout, out, tenant)
    return len(found.statements)


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
    from accountant.reports.report_file import file_name, write_report

    if layout is Layout.TABLE and not found.statements:
        return
    to_terminal = out is None and sys.stdout is not None and sys.stdout.isatty()
    content = _written(found, layout, to_terminal=to_terminal).encode()
    if out is None:
        _print(content)
        return
    path = out / file_name(str(found.period), tenant, _SUFFIX[layout])
    with told_write_problems(path):
        say(f"wrote {write_report(path.parent, path.name, content)}")


def _print(content: bytes) -> None:
    from accountant.reports.report_file import print_report

    with told_write_problems(None):
        print_report(content)


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
