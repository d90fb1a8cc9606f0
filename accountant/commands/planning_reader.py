"""What the planning commands read: the books of several months."""

# Only --help must be quick, so what reading needs is imported when something is read.
# ruff: noqa: PLC0415

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterable, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import msgspec
import typer

from accountant.commands.charge_reader import Asked, ChargeReader, open_month
from accountant.commands.problems import ANSWER_IS_NO, say
from tollgate.errors import SettingsError
from tollgate.usage.periods import Month

if TYPE_CHECKING:
    from accountant.planning.as_of import AsOf
    from accountant.planning.daily_spend import DailySpend


@contextmanager
def months_read(asked: Asked, months: Iterable[Month]) -> Generator[list[ChargeReader]]:
    """The books of months, to read once; at the end says what the ledger kept aside.

    Args:
        asked: Which books; its period is left aside.
        months: Of which months.

    Raises:
        CostsError: The costs cannot be used, or lack an exchange rate.
        RateCardError: The rates cannot be used.
        SettingsError: The URL is none, or a month was closed in another currency.
    """
    with ExitStack() as opened:
        readers = [
            opened.enter_context(open_month(msgspec.structs.replace(asked, period=str(month))))
            for month in months
        ]
        _check_currencies(readers)
        yield readers
        aside = dict.fromkeys(line for reader in readers for line in reader.kept_aside())
    for line in aside:
        say(line)


def _check_currencies(readers: Iterable[ChargeReader]) -> None:
    months: dict[str, Month] = {}
    for reader in readers:
        months.setdefault(reader.currency, reader.month)
    if len(months) > 1:
        told = ", ".join(f"{month} is in {currency}" for currency, month in months.items())
        raise SettingsError(
            [f"months of different currencies do not compare: {told}; give --currency or --rates"]
        )


def history_read(
    asked: Asked, month: Month, months_before_it: int, as_of: AsOf
) -> tuple[str, DailySpend]:
    """A month and those before it by day, with their currency.

    Args:
        asked: Which books; its period is left aside.
        month: The month.
        months_before_it: How many are read beside it.
        as_of: Usage of later days is left out.

    Raises:
        typer.Exit: There is nothing in any of them, which is said.
    """
    from accountant.planning.as_of import months_before

    months = [*months_before(month, months_before_it), month]
    with months_read(asked, months) as readers:
        spend = read_days(readers, as_of)
    if not spend.tenants():
        raise nothing_in(months)
    return readers[-1].currency, spend


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


def nothing_in(months: Sequence[Month]) -> typer.Exit:
    """Say that months have no data, which is the answer."""
    say(f"no usage in {' or '.join(map(str, months))}")
    return typer.Exit(ANSWER_IS_NO)
