"""The rows of a rate card as people write them, and what is wrong with one, in their words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
)

from accountant.meters import TOKEN_METERS, UNITS
from accountant.rate_cards.currencies import CURRENCIES
from tollgate.usage.event import DeploymentType, Provenance, Scope
from tollgate.usage.sku import PROMPT_BAND_LIMITS, prompt_band

BANDS: Final = tuple(prompt_band(limit) for limit in (*PROMPT_BAND_LIMITS, 10**12))

_NUMBER = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?")
_POWER_OF_TEN = re.compile(r"10{0,12}")
_PERCENT = re.compile(r"[0-9]{1,4}(\.[0-9]{1,8})?")
_MOST_PER_CENT: Final = 1000
_PLAIN: Final = {
    "missing": "is missing",
    "extra_forbidden": "is not a key of a {kind}",
    "string_type": "write it as text",
    "string_too_short": "is empty",
    "string_too_long": "is longer than {max_length} characters",
    "literal_error": "write {expected}",
    "int_type": "write a whole number",
    "greater_than": "write more than {gt}",
    "less_than_equal": "write at most {le}",
    "bool_type": "write true, or leave it out",
    "model_type": "write each row under [[{kind}]]",
}

Text = Annotated[str, StringConstraints(min_length=1, max_length=256)]


def _price(value: object) -> Decimal:
    if isinstance(value, str) and value.startswith("-"):
        raise ValueError("a price is not negative")
    if not isinstance(value, str) or not _NUMBER.fullmatch(value):
        raise ValueError('write the price as text, such as "0.15": digits and at most one point')
    return Decimal(value)


def _percent(value: object) -> Decimal:
    if not isinstance(value, str) or not _PERCENT.fullmatch(value):
        raise ValueError('write per cent as text, such as "12.5": at most 8 digits after the point')
    if not 0 < Decimal(value) <= _MOST_PER_CENT:
        raise ValueError(f"write more than 0 and at most {_MOST_PER_CENT}")
    return Decimal(value)


def _per(value: int) -> int:
    if not _POWER_OF_TEN.fullmatch(str(value)):
        raise ValueError("write a power of ten, such as 1000000")
    return value


def _currency(value: str) -> str:
    if value not in CURRENCIES:
        raise ValueError(f'{value!r} is no currency of ISO 4217; write three letters, as "USD"')
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
    if value not in BANDS:
        raise ValueError(f"{value!r} is not a prompt band; known are {', '.join(BANDS)}")
    return value


Day = Annotated[date, BeforeValidator(_day)]
Currency = Annotated[str, AfterValidator(_currency)]
Price = Annotated[Decimal, BeforeValidator(_price)]
Percent = Annotated[Decimal, BeforeValidator(_percent)]
KnownMeter = Annotated[Text, AfterValidator(_meter)]


class DatedRow(BaseModel):
    """What every row has: the days it holds, and where it is from."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())

    effective_from: Day
    effective_to: Day | None = None
    source: Text

    @field_validator("effective_to")
    @classmethod
    def _ends_after_it_begins(cls, value: date | None, info: ValidationInfo) -> date | None:
        begins = info.data.get("effective_from")
        if value and begins and value <= begins:
            raise ValueError("the first day without it must come after effective_from")
        return value


class RateRow(DatedRow):
    """One `[[rate]]`, as `Rate` explains it; a draft prices nothing."""

    model: Text
    model_version: Text | None = None
    deployment_type: DeploymentType | None = None
    scope: Scope | None = None
    region: Text | None = None
    service_tier: Text | None = None
    prompt_band: Annotated[str, AfterValidator(_band)] | None = None
    provenance: Provenance | None = None
    meter: KnownMeter
    price: Price
    per: Annotated[int, Field(strict=True), AfterValidator(_per)]
    currency: Currency
    checked_on: Day
    draft: Annotated[bool, Field(strict=True)] = False


class RuleRow(DatedRow):
    """One `[[discount]]` or `[[markup]]`, as `PriceRule` explains it."""

    name: Text
    percent: Percent
    tenant: Text | None = None
    model: Text | None = None
    deployment_type: DeploymentType | None = None
    meter: KnownMeter | None = None


class DiscountRow(RuleRow):
    """A discount takes no more than everything."""

    @field_validator("percent")
    @classmethod
    def _leaves_something(cls, value: Decimal) -> Decimal:
        if value > 100:  # noqa: PLR2004  per cent
            raise ValueError("a discount is at most 100")
        return value


ROWS: Final[dict[str, type[DatedRow]]] = {
    "rate": RateRow,
    "discount": DiscountRow,
    "markup": RuleRow,
}


def problem(entry: Mapping[str, Any], kind: str) -> str:
    """One of pydantic's complaints about a row of this kind, in words for whoever wrote it."""
    field = ".".join(str(step) for step in entry["loc"]) or "row"
    if entry["type"] in _PLAIN:
        return f"{field}: {_PLAIN[entry['type']].format(kind=kind, **entry.get('ctx', {}))}"
    return f"{field}: {entry['msg'].removeprefix('Value error, ')}"
