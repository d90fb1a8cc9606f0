"""Reads the rows of a ledger's hash in Redis."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from tollgate.ledger.cell_sums import with_output
from tollgate.ledger.cells import Meter, Usage
from tollgate.ledger.rows import Row, Sum
from tollgate.usage.sku import Sku, sku_from

_values_of_sku: Final = msgspec.json.Decoder(list[str | None])
_names_and_sku: Final = msgspec.json.Decoder(list[Any])
_usage: Final = msgspec.json.Decoder(tuple[int, dict[str, Meter]])
# The requests of a row, and quantity and requests of each meter.
_Counters = tuple[int, dict[str, tuple[int, int]]]
read_counters: Final = msgspec.json.Decoder(_Counters).decode
_read_many: Final = msgspec.json.Decoder(list[_Counters]).decode
_TEXTS_AT_ONCE: Final = 2_000


class HashSums:
    """Adds up hashes of cells row by row.

    A row has the same field in each hash, so what it is called is read once; and its counters are
    decoded many at a time, which takes half as long.
    """

    def __init__(self) -> None:
        self._sums = defaultdict[bytes, Sum](Sum)
        self._texts = defaultdict[bytes, list[bytes]](list)
        self._waiting = 0

    def add(self, counters: Mapping[bytes, bytes]) -> None:
        """Add a hash of cells."""
        for field, text in counters.items():
            self._texts[field].append(text)
        self._waiting += len(counters)
        if self._waiting >= _TEXTS_AT_ONCE:
            self._add_up()

    def rows(self, skus: Mapping[int, Sku]) -> dict[Row, Usage]:
        """The sums by row."""
        self._add_up()
        return {_row(field, skus): found.usage() for field, found in self._sums.items()}

    def _add_up(self) -> None:
        for field, texts in self._texts.items():
            found = self._sums[field]
            for requests, meters in _read_many(b"[%b]" % b",".join(texts)):
                found.add(requests, with_output(meters))
        self._texts.clear()
        self._waiting = 0


def read_skus(table: Mapping[bytes, bytes]) -> dict[int, Sku]:
    """The tenant's SKUs by their number."""
    return {int(number): sku_from(_values_of_sku.decode(sku)) for sku, number in table.items()}


def read_rows(counters: Mapping[bytes, bytes], skus: Mapping[int, Sku]) -> dict[Row, Usage]:
    """A hash of cells."""
    rows: dict[Row, Usage] = {}
    for field, text in counters.items():
        requests, meters = _usage.decode(text)
        rows[_row(field, skus)] = Usage(requests, dict(sorted(meters.items())))
    return rows


def _row(field: bytes, skus: Mapping[int, Sku]) -> Row:
    *names, number = _names_and_sku.decode(field)
    return tuple(names), skus[number]
