"""Reads a map of Azure's names to ours from a TOML file."""

from __future__ import annotations

import tomllib
from collections import Counter
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from accountant.meters import TOKEN_METERS
from accountant.rate_cards.retail_meters import MeterName
from accountant.reconciliation.naming import Resource, ResourceMap
from tollgate.errors import SettingsError
from tollgate.usage.event import Scope

_Name = Annotated[str, Field(strict=True, min_length=1, max_length=1024)]


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _ResourceRow(_Row):
    """One `[[resource]]`."""

    id: _Name
    backend: _Name
    region: Annotated[str, Field(strict=True, pattern=r"^[a-z0-9]+$")] | None = None
    endpoint: Annotated[str, Field(strict=True, pattern=r"^https?://[^/\s]+$")] | None = None
    deployments: dict[_Name, _Name] = {}


class _MeterRow(_Row):
    """One `[[meter]]`."""

    name: _Name
    model: _Name
    model_version: _Name | None = None
    meter: _Name
    scope: Scope
    deployment_type: Literal["standard", "batch"] = "standard"
    service_tier: _Name = "default"

    @model_validator(mode="after")
    def _is_a_leaf(self) -> _MeterRow:
        if self.meter not in TOKEN_METERS:
            raise ValueError(f"meter {self.meter!r} is none of {', '.join(TOKEN_METERS)}")
        return self


class _File(_Row):
    resource: list[_ResourceRow] = []
    meter: list[_MeterRow] = []


def read_map(path: Path) -> ResourceMap:
    """The names in a file of `[[resource]]` and `[[meter]]`.

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
    _check_once(path, "resource", [row.id for row in found.resource])
    _check_once(path, "meter", [row.name for row in found.meter])
    return ResourceMap(
        tuple(Resource(**row.model_dump()) for row in found.resource),
        {row.name.strip().lower(): _meter(row) for row in found.meter},
    )


def _meter(row: _MeterRow) -> MeterName:
    return MeterName(**row.model_dump(exclude={"name"}), long_prompt=False)


def _check_once(path: Path, kind: str, names: list[str]) -> None:
    twice = [name for name, count in Counter(map(str.lower, names)).items() if count > 1]
    if twice:
        raise SettingsError([f"{path}: {kind} {name!r}: has more than one row" for name in twice])


def _told(path: Path, problem: ErrorDetails) -> str:
    """One problem of pydantic's, with rows counted from 1."""
    place = (str(each + 1) if isinstance(each, int) else each for each in problem["loc"])
    return f"{path}: {' '.join(place)}: {problem['msg'].removeprefix('Value error, ')}"
