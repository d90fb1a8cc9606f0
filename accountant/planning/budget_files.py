"""Reads budgets from TOML and CSV, and reports every mistake with its line."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Final, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from accountant.planning.budgets import DEFAULT_ALERTS, Budget
from accountant.rate_cards.rate_rows import Currency, Text, row_problems
from accountant.rate_cards.rate_tables import read_rows
from accountant.rate_cards.raw_rows import RawRow
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


_KEYS: Final = {"budget": {name: field.is_required() for name, field in _Row.model_fields.items()}}


def read_budgets(path: Path) -> list[Budget]:
    """The budgets of a file: `[[budget]]` of TOML, or rows of CSV.

    Args:
        path: With `tenant`, `amount`, `currency`, and maybe `alert_at` in each row.

    Raises:
        SettingsError: It cannot be read or used; it has every problem with its line.
    """
    raws, problems = read_rows(path, _KEYS)
    found: dict[str, Budget] = {}
    for raw in raws:
        budget = _checked(raw, problems)
        if budget is None:
            continue
        if before := found.get(budget.tenant):
            problems.append(f"{budget.place}: {budget.tenant!r} has a budget at {before.place}")
        found.setdefault(budget.tenant, budget)
    if not (found or problems):
        problems.append(f"{path}: there is no budget; write one under [[budget]]")
    if problems:
        raise SettingsError(problems)
    return [*found.values()]


def _checked(raw: RawRow, problems: list[str]) -> Budget | None:
    """The budget if it is sound; what is wrong with it is added to `problems`."""
    try:
        row = _Row.model_validate(raw.members)
    except ValidationError as error:
        problems += row_problems(raw, error)
        return None
    return Budget(
        tenant=row.tenant,
        amount=row.amount,
        currency=row.currency,
        alert_at=row.alert_at,
        place=raw.place(),
    )
