"""Reads the rows of a ledger's hash in Redis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from tollgate.ledger.cells import Meter, Usage
from tollgate.ledger.rows import Row
from tollgate.usage.sku import Sku, sku_from

_values_of_sku: Final = msgspec.json.Decoder(list[str | None])
_names_and_sku: Final = msgspec.json.Decoder(list[Any])
_usage: Final = msgspec.json.Decoder(tuple[int, dict[str, Meter]])


def read_skus(table: Mapping[bytes, bytes]) -> dict[int, Sku]:
    """The tenant's SKUs by their number."""
    return {int(number): sku_from(_values_of_sku.decode(sku)) for sku, number in table.items()}


def read_rows(counters: Mapping[bytes, bytes], skus: Mapping[int, Sku]) -> dict[Row, Usage]:
    """A hash of cells."""
    rows: dict[Row, Usage] = {}
    for field, text in counters.items():
        *names, number = _names_and_sku.decode(field)
        requests, meters = _usage.decode(text)
        rows[tuple(names), skus[number]] = Usage(requests, dict(sorted(meters.items())))
    return rows
