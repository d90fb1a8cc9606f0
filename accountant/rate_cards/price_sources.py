"""Opens exports of price lists, and knows one from the other."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Literal, cast

from accountant.errors import RateCardError
from accountant.rate_cards.genai_prices import genai_price_list
from accountant.rate_cards.price_list import PriceList
from accountant.rate_cards.retail_prices import retail_price_list

SourceKind = Literal["genai-prices", "retail"]
SOURCES: Final[dict[SourceKind, str]] = {
    "retail": "an export of the Azure Retail Prices API (JSON with `Items`)",
    "genai-prices": "data.json of genai-prices (a list of providers)",
}
_MAX_BYTES: Final = 256_000_000


def read_price_list(
    file: Path, checked_on: date | None = None, kind: SourceKind | None = None
) -> PriceList:
    """Read an export; it says itself of which source it is.

    Args:
        file: JSON: a page of the Azure Retail Prices API or a list of them, or genai-prices' data.
        checked_on: The day of the export; None is the day on which the file was written.
        kind: What it should be; None takes either.

    Raises:
        RateCardError: The file is not that.
    """
    try:
        status = file.stat()
        if status.st_size > _MAX_BYTES:
            raise RateCardError([f"{file}: is larger than {_MAX_BYTES // 10**6} MB"])
        document = json.loads(file.read_bytes(), parse_float=Decimal, parse_constant=str)
    except OSError as error:
        raise RateCardError([f"{file}: cannot be read: {error.strerror}"]) from None
    except (ValueError, RecursionError) as error:
        raise RateCardError([f"{file}: is not JSON: {error}"]) from None
    day = checked_on or datetime.fromtimestamp(status.st_mtime, UTC).date()
    if kind != "genai-prices" and (items := _retail_items(document)) is not None:
        return retail_price_list(items, day)
    if kind != "retail" and (providers := _providers(document)) is not None:
        return genai_price_list(providers, day)
    wanted = SOURCES[kind] if kind else " or ".join(SOURCES.values())
    raise RateCardError([f"{file}: is not {wanted}"])


def _retail_items(document: object) -> list[Mapping[str, Any]] | None:
    """The items of one page, or of a list of pages."""
    pages = _dicts(cast("list[Any]", document) if isinstance(document, list) else [document])
    if not pages or not all(isinstance(page.get("Items"), list) for page in pages):
        return None
    return [item for page in pages for item in _dicts(page["Items"])]


def _providers(document: object) -> list[Mapping[str, Any]] | None:
    providers = _dicts(cast("list[Any]", document)) if isinstance(document, list) else []
    known = any(each.get("id") == "azure" and "models" in each for each in providers)
    return providers if known else None


def _dicts(values: list[Any]) -> list[Mapping[str, Any]]:
    return [cast("Mapping[str, Any]", value) for value in values if isinstance(value, dict)]
