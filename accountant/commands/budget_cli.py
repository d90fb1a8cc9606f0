"""`accountant budget`: how much of each budget is gone, and when all of it will be."""

# Only --help must be quick, so what a command needs is imported inside it.
# ruff: noqa: PLC0415

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from accountant.commands.charge_reader import (
    Asked,
    BooksCurrency,
    BooksFolder,
    FixedCosts,
    Period,
    Rates,
    RedisUrl,
)
from accountant.commands.planning_delivery import deliver
from accountant.commands.planning_options import (
    AsOfText,
    Format,
    History,
    Layout,
    Level,
    Out,
    Typed,
)
from accountant.commands.planning_reader import history_read
from accountant.commands.problems import told_problems
from tollgate.errors import SettingsError

if TYPE_CHECKING:
    from accountant.planning.budgets import Budget


def budget(  # noqa: PLR0913, PLR0917  each is an option of the command
    period: Period,
    budgets: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="TOML or CSV. Default: tenants of $TOLLGATE_CONFIG."),
    ] = None,
    history: History = 3,
    level: Level = 80,
    layout: Format = Layout.TABLE,
    out: Out = None,
    as_of: AsOfText = None,
    rates: Rates = None,
    costs: FixedCosts = None,
    currency: BooksCurrency = None,
    redis_url: RedisUrl = None,
    books: BooksFolder = None,
) -> None:
    """Show how much of each tenant's budget is spent, committed and foreseen.

    Names the first UTC day at whose end more than the budget is spent. Exit code 0, whatever
    the budgets say; 1 if there is no usage.
    """
    from accountant.planning.budgets import budgets as burn_down
    from accountant.planning.budgets_document import budgets_document
    from accountant.planning.forecast import Horizon

    with told_problems():
        typed = Typed()
        month, time = typed.month(period), typed.as_of(as_of)
        given = _read(budgets, typed)
        typed.check()
        asked = Asked(rates=rates, redis_url=redis_url, costs=costs, currency=currency, books=books)
        money, spend = history_read(asked, month, history, time)
        horizon = Horizon(month=month, as_of=time, currency=money, level_percent=level)
        deliver(budgets_document(burn_down(horizon, spend, given)), layout, out)


def _read(path: Path | None, typed: Typed) -> list[Budget]:
    """The budgets of a file, or of the settings; what is wrong with them is held."""
    from accountant.planning.budget_files import read_budgets

    try:
        return read_budgets(path) if path else _of_settings()
    except SettingsError as error:
        typed.problems += error.problems
        return []


def _of_settings() -> list[Budget]:
    from decimal import Decimal

    from accountant.planning.budgets import Budget
    from tollgate.settings import load_settings, read_environment

    path = read_environment().config
    if path is None:
        raise SettingsError(["which budgets? Give --budgets FILE, or set TOLLGATE_CONFIG"])
    found = [
        Budget(
            tenant=tenant.name,
            amount=tenant.budget.amount,
            currency=tenant.budget.currency,
            alert_at=tuple(Decimal(str(part)) for part in tenant.budget.alert_at),
            place=str(path),
        )
        for tenant in load_settings(path).tenants
        if tenant.budget
    ]
    if not found:
        raise SettingsError([f"{path}: no tenant has a budget; write one, or give --budgets FILE"])
    return found
