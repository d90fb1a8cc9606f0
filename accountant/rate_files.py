"""Reads rate cards from dated TOML files, and reports every problem at once."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Final, cast

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from accountant.errors import RateCardError
from accountant.rate_card import Rate, RateCard, contradictions
from accountant.rating import TOKEN_METERS, UNITS
from tollgate.usage.event import DeploymentType, Provenance, Scope
from tollgate.usage.sku import PROMPT_BAND_LIMITS, prompt_band

SHIPPED_RATES: Final = Path(__file__).parent / "rates"

_ROW = re.compile(r"^\s*\[\[\s*rate\s*\]\]", re.MULTILINE)
_PRICE = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?")
_POWER_OF_TEN = re.compile(r"10{0,12}")
_PLAIN: Final = {
    "missing": "is missing",
    "extra_forbidden": "is not a key of a rate",
    "string_type": "write it as text",
    "string_too_short": "is empty",
    "string_too_long": "is longer than {max_length} characters",
    "string_pattern_mismatch": 'write three capital letters, such as "USD"',
    "literal_error": "write {expected}",
    "int_type": "write a whole number",
    "model_type": "write each row under [[rate]]",
}
_BANDS: Final = tuple(prompt_band(limit) for limit in (*PROMPT_BAND_LIMITS, 10**12))

Text = Annotated[str, StringConstraints(min_length=1, max_length=256)]


def _price(value: object) -> Decimal:
    if isinstance(value, str) and value.startswith("-"):
        raise ValueError("a price is not negative")
    if not isinstance(value, str) or not _PRICE.fullmatch(value):
        raise ValueError('write the price as text, such as "0.15": digits and at most one point')
    return Decimal(value)


def _per(value: int) -> int:
    if not _POWER_OF_TEN.fullmatch(str(value)):
        raise ValueError("write a power of ten, such as 1000000")
    return value


def _day(value: object) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return date.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        raise ValueError("write a day, such as 2026-10-01, without a time") from None


def _meter(value: str) -> str:
    if value == "reasoning_output":
        raise ValueError("reasoning is priced as output; leave this row out")
    kind, colon, variant = value.partition(":")
    if value not in TOKEN_METERS and (kind not in UNITS or bool(colon) != bool(variant)):
        known = ", ".join((*TOKEN_METERS, *UNITS))
        raise ValueError(f"{value!r} is not a meter; known are {known}")
    return value


def _band(value: str) -> str:
    if value not in _BANDS:
        raise ValueError(f"{value!r} is not a prompt band; known are {', '.join(_BANDS)}")
    return value


Day = Annotated[date, BeforeValidator(_day)]


class RateRow(BaseModel):
    """One `[[rate]]` of a file, as `Rate` explains it."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())

    model: Text
    model_version: Text | None = None
    deployment_type: DeploymentType | None = None
    scope: Scope | None = None
    region: Text | None = None
    service_tier: Text | None = None
    prompt_band: Annotated[str, AfterValidator(_band)] | None = None
    provenance: Provenance | None = None
    meter: Annotated[Text, AfterValidator(_meter)]
    price: Annotated[Decimal, BeforeValidator(_price)]
    per: Annotated[int, Field(strict=True), AfterValidator(_per)]
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
    effective_from: Day
    effective_to: Day | None = None
    source: Text
    checked_on: Day

    @field_validator("effective_to")
    @classmethod
    def _ends_after_it_begins(cls, value: date | None, info: ValidationInfo) -> date | None:
        begins = info.data.get("effective_from")
        if value and begins and value <= begins:
            raise ValueError("the first day without it must come after effective_from")
        return value


def load_rate_card(path: Path = SHIPPED_RATES) -> RateCard:
    """Read one file, or every `*.toml` of a directory.

    Args:
        path: The file or directory; without it, the public list prices that are shipped.

    Raises:
        RateCardError: With every problem of every file.
    """
    files = sorted(path.glob("*.toml")) if path.is_dir() else [path]
    if not files:
        raise RateCardError([f"{path}: there is no .toml file in it"])
    problems: list[str] = []
    rates = [rate for file in files for rate in _rates_of(file, problems)]
    return _card(rates, problems)


def _card(rates: list[Rate], problems: list[str]) -> RateCard:
    """The card, if the sound rates make one and nothing else is wrong."""
    if problems:
        raise RateCardError([*problems, *(contradictions(rates) if rates else [])])
    return RateCard(rates)


def _rates_of(file: Path, problems: list[str]) -> list[Rate]:
    """The sound rates of a file; what is wrong with the others is added to `problems`."""
    try:
        text = file.read_bytes().decode()
        rows = _rows(tomllib.loads(text))
    except OSError as error:
        problems.append(f"{file}: cannot be read: {error.strerror}")
        return []
    except ValueError as error:  # not TOML, not UTF-8, or not rows
        problems.append(f"{file}: {error}")
        return []
    except RecursionError:
        problems.append(f"{file}: is nested too deeply to be read; write each row under [[rate]]")
        return []
    rates: list[Rate] = []
    for place, row in zip(_places(file, text, len(rows)), rows, strict=True):
        try:
            rates.append(_rate(place, RateRow.model_validate(row)))
        except ValidationError as error:
            problems += [f"{place}: {_problem(entry)}" for entry in error.errors()]
    return rates


def _rows(document: Mapping[str, Any]) -> list[object]:
    rows = document.get("rate", [])
    unknown = sorted(document.keys() - {"rate"})
    if unknown:
        raise ValueError(f"unknown key {', '.join(unknown)}: a file holds [[rate]] rows only")
    if not isinstance(rows, list):
        raise ValueError("rate: write each row under [[rate]]")  # noqa: TRY004  told like the rest
    return cast("list[object]", rows)


def _places(file: Path, text: str, count: int) -> list[str]:
    """Where each row stands; the line too, unless the text says `[[rate]]` in other places."""
    lines = [text.count("\n", 0, found.end()) + 1 for found in _ROW.finditer(text)]
    if len(lines) != count:
        return [f"{file}: row {row}" for row in range(1, count + 1)]
    return [f"{file}: row {row} (line {line})" for row, line in enumerate(lines, 1)]


def _rate(place: str, row: RateRow) -> Rate:
    members = row.model_dump()
    return Rate(place=place, unit_price=members.pop("price"), **members)


def _problem(entry: Mapping[str, Any]) -> str:
    field = ".".join(str(step) for step in entry["loc"]) or "row"
    if entry["type"] in _PLAIN:
        return f"{field}: {_PLAIN[entry['type']].format(**entry.get('ctx', {}))}"
    return f"{field}: {entry['msg'].removeprefix('Value error, ')}"
