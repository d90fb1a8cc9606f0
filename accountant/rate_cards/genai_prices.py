"""Reads `data.json` of genai-prices (https://github.com/pydantic/genai-prices) as drafts.

Its provider `azure` has list prices of global deployments. Models that it lacks are taken from
`openai`, as the library does; whether Azure asks the same is for a person to check. A price with
tiers holds for the whole request from its tier's start, as our prompt bands do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final, cast

import msgspec

from accountant.rate_cards.price_list import MILLION, PriceList, price_of, text_of
from accountant.rate_cards.rate_card import DEFAULT_TIER, Rate
from tollgate.usage.sku import PROMPT_BAND_LIMITS, prompt_band

_METERS: Final = {
    "input_mtok": "input",
    "cache_read_mtok": "cached_input",
    "cache_write_mtok": "cache_write_input",
    "input_audio_mtok": "audio_input",
    "cache_audio_read_mtok": "cached_audio_input",
    "input_image_mtok": "image_input",
    "cache_image_read_mtok": "cached_image_input",
    "output_mtok": "output",
    "output_audio_mtok": "audio_output",
    "output_image_mtok": "image_output",
}
_PROVIDERS: Final = ("azure", "openai")  # the first that has a model wins

Members = Mapping[str, Any]


class _Period(msgspec.Struct, frozen=True):
    """Prices from a day on; None is from whenever."""

    start: date | None
    prices: Members


def genai_price_list(providers: Sequence[Members], checked_on: date) -> PriceList:
    """The drafts that hold on `checked_on` or later; undated prices begin on it.

    Args:
        providers: The parsed file, with numbers as `Decimal`.
        checked_on: The day of the file.
    """
    left_out: Counter[str] = Counter()
    rates: list[Rate] = []
    seen: set[str] = set()
    for name in _PROVIDERS:
        for provider in providers:
            if provider.get("id") == name:
                for model in _dicts(provider.get("models")):
                    identity = text_of(model, "id")
                    if identity and identity not in seen:
                        seen.add(identity)
                        rates += _rates(name, identity, model, checked_on, left_out)
    return PriceList(rates, left_out)


def _rates(
    provider: str, name: str, model: Members, checked_on: date, left_out: Counter[str]
) -> Iterator[Rate]:
    if model.get("price_variants"):
        left_out["prices of other service tiers or of batch"] += 1
    periods = [*_periods(model.get("prices"), left_out)]
    for place, period in enumerate(periods, 1):
        end = periods[place].start if place < len(periods) else None
        if end is not None and end <= checked_on:
            continue
        for key, value in period.prices.items():
            if key not in _METERS:
                left_out[f"the unit {key}"] += 1
                continue
            for band, price in _bands(value, left_out):
                yield Rate(
                    model=name,
                    deployment_type="standard",
                    scope="global",
                    service_tier=DEFAULT_TIER,
                    prompt_band=band,
                    meter=_METERS[key],
                    unit_price=price,
                    per=MILLION,
                    currency="USD",
                    effective_from=period.start or checked_on,
                    effective_to=end,
                    source=f"genai-prices, provider {provider}",
                    checked_on=checked_on,
                    place=f"genai-prices: {provider}: {name}",
                )


def _periods(prices: object, left_out: Counter[str]) -> Iterator[_Period]:
    """Dated prices in the order of their days."""
    if isinstance(prices, dict):
        yield _Period(None, cast("Members", prices))
        return
    found: list[_Period] = []
    for each in _dicts(prices):
        constraint = cast("object", each.get("constraint"))
        inner = cast("object", each.get("prices"))
        start = _start(constraint)
        if isinstance(inner, dict) and (constraint is None or start is not None):
            found.append(_Period(start, cast("Members", inner)))
        else:
            left_out["prices of a time of day"] += 1
    yield from sorted(found, key=lambda period: period.start or date.min)


def _start(constraint: object) -> date | None:
    members: Members = cast("Members", constraint) if isinstance(constraint, dict) else {}
    try:
        return date.fromisoformat(text_of(members, "start_date"))
    except ValueError:
        return None


def _bands(value: object, left_out: Counter[str]) -> Iterator[tuple[str | None, Decimal]]:
    """The price of all prompts, then those of the longer bands."""
    tiered = cast("Members", value) if isinstance(value, dict) else {"base": value}
    tiers = {_whole(tier.get("start")): tier.get("price") for tier in _dicts(tiered.get("tiers"))}
    base = price_of(tiered.get("base"))
    if base is None or not tiers.keys() <= {*PROMPT_BAND_LIMITS}:
        left_out["a price that is no number, or of a prompt length between our bands"] += 1
        return
    yield None, base
    for limit in PROMPT_BAND_LIMITS:
        begun = [start for start in tiers if start <= limit]
        price = price_of(tiers[max(begun)]) if begun else None
        if price is not None:
            yield prompt_band(limit + 1), price


def _whole(value: object) -> int:
    return value if isinstance(value, int) else -1


def _dicts(value: object) -> Iterator[Members]:
    for each in cast("list[object]", value) if isinstance(value, list) else []:
        if isinstance(each, dict):
            yield cast("Members", each)
