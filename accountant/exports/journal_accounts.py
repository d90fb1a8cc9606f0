"""Reads the accounts of a journal from a TOML file."""

from __future__ import annotations

import tomllib
from collections import Counter
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from accountant.exports.journal import Accounts, CostCentre
from tollgate.errors import SettingsError

_Name = Annotated[str, Field(strict=True, min_length=1, max_length=256)]


class _Row(BaseModel):
    """One `[[cost_centre]]`."""

    model_config = ConfigDict(extra="forbid")
    tenant: _Name
    billing_code: _Name | None = None
    cost_centre: _Name
    expense: _Name | None = None


class _File(BaseModel):
    """The file, with the names of a journal's accounts where it says none."""

    model_config = ConfigDict(extra="forbid")
    expense: _Name = Accounts().expense
    clearing: _Name = Accounts().clearing
    rounding: _Name = Accounts().rounding
    unallocated: _Name = Accounts().unallocated
    cost_centre: list[_Row] = []


def read_accounts(path: Path) -> Accounts:
    """The accounts in a file: `expense`, `clearing`, `rounding`, `unallocated`, `[[cost_centre]]`.

    Raises:
        SettingsError: It cannot be read or used; it has every problem.
    """
    try:
        found = _File.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise SettingsError([f"{path}: cannot be read: {error.strerror}"]) from None
    except ValidationError as error:
        raise SettingsError([_told(path, each) for each in error.errors()]) from None
    except ValueError as error:  # not TOML, or not UTF-8
        raise SettingsError([f"{path}: is not TOML: {error}"]) from None
    return Accounts(
        expense=found.expense,
        clearing=found.clearing,
        rounding=found.rounding,
        unallocated=found.unallocated,
        cost_centres=_cost_centres(path, found),
    )


def _cost_centres(path: Path, found: _File) -> dict[tuple[str, str | None], CostCentre]:
    counts = Counter((row.tenant, row.billing_code) for row in found.cost_centre)
    twice = [key for key, count in counts.items() if count > 1]
    if twice:
        raise SettingsError(
            [
                f"{path}: {tenant}, {code or 'without a billing_code'}: has more than one row"
                for tenant, code in twice
            ]
        )
    return {
        (row.tenant, row.billing_code): CostCentre(row.cost_centre, row.expense or found.expense)
        for row in found.cost_centre
    }


def _told(path: Path, problem: ErrorDetails) -> str:
    """One problem of pydantic's, with rows counted from 1."""
    place = (str(each + 1) if isinstance(each, int) else each for each in problem["loc"])
    return f"{path}: {' '.join(place)}: {problem['msg']}"
