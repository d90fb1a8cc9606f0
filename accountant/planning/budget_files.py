"""Reads budgets from TOML and CSV, and reports every mistake with its line."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Final, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict

from accountant.planning.budgets import DEFAULT_ALERTS, Budget
from accountant.rate_cards.rate_csv import Columns
from accountant.rate_cards.rate_files import checked, keys_of
from accountant.rate_cards.rate_rows import Currency, Text
from accountant.rate_cards.rate_tables import read_rows
from accountant.rate_cards.raw_rows import RowKeys
from tollgate.errors import SettingsError
from tollgate.settings_problems import exact_amount

_MOST: Final = 10


def _alerts(value: object) -> tuple[Decimal, ...]:
    """A list in TOML, words in CSV."""
    words = value.split() if isinstance(value, str) else value
    parts = cast("list[object]", words) if isinstance(words, list) else []
    try:
        found = tuple(Decimal(str(exact_amount(str(part)))) for part in parts)
    except ValueError:
        found = ()
    if not found or not all(0 < each <= _MOST for each in found):
        raise ValueError(f"write parts of the budget above 0 and up to {_MOST}, such as 0.5 0.8 1")
    return found


class _Row(BaseModel):
    """One `[[budget]]`, as `Budget` explains it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tenant: Text
    amount: Annotated[Decimal, BeforeValidator(exact_amount)]
    currency: Currency
    alert_at: Annotated[tuple[Decimal, ...], BeforeValidator(_alerts)] = DEFAULT_ALERTS


_KEYS: Final = keys_of({"budget": _Row})


def read_budgets(path: Path) -> list[Budget]:
    """The budgets of a file: `[[budget]]` of TOML, or rows of CSV.

    Args:
        path: With `tenant`, `amount`, `currency`, and maybe `alert_at` in each row.

    Raises:
        SettingsError: It cannot be read or used; it has every problem with its line.
    """
    raws, problems = read_rows(path, _KEYS, _columns)
    found: dict[str, Budget] = {}
    for raw in raws:
        row = checked(raw, _Row, problems)
        if row is None:
            continue
        budget = Budget(
            tenant=row.tenant,
            amount=row.amount,
            currency=row.currency,
            alert_at=row.alert_at,
            place=raw.place(),
        )
        if before := found.get(budget.tenant):
            problems.append(f"{budget.place}: {budget.tenant!r} has a budget at {before.place}")
        found.setdefault(budget.tenant, budget)
    if not (found or problems):
        problems.append(f"{path}: there is no budget; write one under [[budget]]")
    if problems:
        raise SettingsError(problems)
    return [*found.values()]


def _columns(_: Sequence[str], keys: RowKeys) -> Columns:
    return Columns(known=keys["budget"], kinds=("budget",))
