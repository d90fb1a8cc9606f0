"""What the planning commands read and how they answer: several months, a time, a document."""

# Only --help must be quick, so what reading needs is imported when something is read.
# ruff: noqa: PLC0415

from __future__ import annotations

import shutil
import sys
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from accountant.commands.charge_reader import ChargeReader
from accountant.commands.delivery import delivered
from accountant.commands.problems import ANSWER_IS_NO, read_month, say
from accountant.commands.report_cli import Layout
from accountant.commands.sources import open_card, open_ledger
from tollgate.errors import SettingsError
from tollgate.usage.periods import Month

if TYPE_CHECKING:
    from accountant.charges import Charge, Uncharged
    from accountant.planning.as_of import AsOf
    from accountant.planning.daily_spend import DailySpend
    from accountant.planning.sheets import Document
    from accountant.rate_cards.rate_card import RateCard

Format = Annotated[Layout, typer.Option("--format", help="How to write it.")]
Out = Annotated[Path | None, typer.Option(metavar="DIR", help="Write files there, not to stdout.")]
AsOfText = Annotated[
    str | None,
    typer.Option(
        "--as-of",
        metavar="TIME",
        help="A UTC day, or a time with its zone; later usage is left out. Default: now.",
    ),
]
By = Annotated[
    list[str] | None,
    typer.Option(
        metavar="FIELD",
        help="Group by tenant, billing-code or model; repeat, or use commas, for more.",
    ),
]
History = Annotated[
    int, typer.Option(min=0, max=24, metavar="N", help="Learn from so many months before it.")
]
Level = Annotated[
    int, typer.Option(min=50, max=99, metavar="PERCENT", help="What the interval is to hold.")
]


class Where(msgspec.Struct, frozen=True, kw_only=True):
    """The ledger and the rates as typed; None is the default of either."""

    rates: Path | None
    redis_url: str | None


class Typed:
    """Reads what was typed, and holds what is wrong with it, to be told at once."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def month(self, text: str) -> Month:
        """The month, or one that is never looked at if it is none."""
        try:
            return read_month(text)
        except SettingsError as error:
            self.problems += error.problems
            return Month(1, 1)

    def as_of(self, text: str | None) -> AsOf:
        """The time; without a text that of the clock."""
        from accountant.planning.as_of import AsOf

        try:
            return AsOf.parse(text) if text else AsOf(_now())
        except ValueError as error:
            self.problems.append(f"--as-of: {error}")
            return AsOf(_now())

    def by(self, typed: Sequence[str] | None, known: Sequence[str]) -> tuple[str, ...]:
        """The fields, each once; all known ones if none was typed."""
        names = [
            name.strip().replace("-", "_") for text in typed or known for name in text.split(",")
        ]
        listed = ", ".join(name.replace("_", "-") for name in known)
        self.problems += [
            f"--by: {name.replace('_', '-')!r} is not one of {listed}"
            for name in dict.fromkeys(names)
            if name not in known
        ]
        return tuple(dict.fromkeys(names))

    def amount(self, option: str, text: str) -> Decimal:
        """An amount of money that is not negative."""
        from tollgate.settings_problems import exact_amount

        try:
            return Decimal(str(exact_amount(text)))
        except ValueError:
            self.problems.append(f"{option}: {text!r} is no amount; write digits, such as 12.50")
            return Decimal(0)

    def check(self) -> None:
        """Tell what is wrong.

        Raises:
            SettingsError: Anything is.
        """
        if self.problems:
            raise SettingsError(self.problems)


@contextmanager
def months_read(
    where: Where, months: Iterable[Month]
) -> Generator[tuple[RateCard, list[ChargeReader]]]:
    """Months to read, each once, with the rates; at the end says what the ledger kept aside.

    Raises:
        RateCardError: The rates cannot be used.
        SettingsError: The URL is none.
    """
    card = open_card(where.rates)
    with open_ledger(where.redis_url) as ledger:
        readers = [ChargeReader(month, ledger, card) for month in months]
        yield card, readers
        aside = dict.fromkeys(line for reader in readers for line in reader.kept_aside())
    for line in aside:
        say(line)


def read_days(readers: Iterable[ChargeReader], as_of: AsOf) -> DailySpend:
    """What months cost by day."""
    from accountant.planning.daily_spend import DailySpend

    spend = DailySpend(as_of)
    for reader in readers:
        for each in reader.read():
            spend.add(reader.month, each)
    return spend


def left_out_of(spend: DailySpend, month: Month) -> dict[str, Counter[str]]:
    """Lines of a month's usage that are in no charge, by tenant and why."""
    return {tenant: counts for (each, tenant), counts in spend.left_out.items() if each == month}


def watched(
    reader: ChargeReader, left_out: dict[str, Counter[str]]
) -> Iterator[Charge | Uncharged]:
    """What a month charges, while lines of usage in no charge are counted by tenant and why."""
    from accountant.charges import Uncharged

    for each in reader.read():
        if isinstance(each, Uncharged):
            why = "uncounted" if each.consumed is None else "unpriced"
            left_out.setdefault(each.tenant, Counter())[why] += 1
        yield each


def nothing_in(months: Sequence[Month]) -> typer.Exit:
    """Say that months have no data, which is the answer."""
    say(f"no usage in {' or '.join(map(str, months))}")
    return typer.Exit(ANSWER_IS_NO)


def deliver(document: Document, layout: Layout, out: Path | None) -> None:
    """Write a document to stdout, or to files of a directory; CSV has a file for each sheet."""
    from accountant.planning.sheet_files import document_json, sheet_csv
    from accountant.planning.sheet_table import document_table

    stem = f"{document.kind}-{'-'.join(document.periods)}"
    if layout is Layout.CSV:
        sheets = document.sheets if out else document.sheets[:1]
        for place, sheet in enumerate(sheets):
            name = f"{stem}.{sheet.name}.csv" if place else f"{stem}.csv"
            with delivered(out and out / name) as write:
                write(sheet_csv(document, sheet))
        return
    if layout is Layout.JSON:
        with delivered(out and out / f"{stem}.json") as write:
            write(document_json(document))
        return
    to_terminal = out is None and sys.stdout is not None and sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if to_terminal else 80
    with delivered(out and out / f"{stem}.txt") as write:
        write(document_table(document, width, colour=to_terminal))


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251  a command is a composition root
