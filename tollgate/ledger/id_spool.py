"""Ids by span of hours, on disk as soon as they are many."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tollgate.ledger.id_buckets import RECORD_BYTES

_TENANT: Final = 4  # bytes of a tenant's number before each record
_BUFFER_BYTES: Final = 32_000_000


class IdSpool:
    """Collects records of ids, and gives back those of a span at a time.

    Args:
        folder: Takes a file for each span.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._buffers: defaultdict[str, bytearray] = defaultdict(bytearray)
        self._buffered = 0
        self._tenants: dict[str, bytes] = {}
        self._dropped: defaultdict[str, set[bytes]] = defaultdict(set)

    def add(self, tenant: str, span: str, record: bytes) -> None:
        """Add a record; a repetition changes nothing."""
        self._buffers[span] += self._number(tenant) + record
        self._buffered += _TENANT + RECORD_BYTES
        if self._buffered > _BUFFER_BYTES:
            for name, buffer in self._buffers.items():
                with self._path(name).open("ab") as file:
                    file.write(buffer)
            self._buffers = defaultdict(bytearray, {name: bytearray() for name in self._buffers})
            self._buffered = 0

    def drop(self, tenant: str, span: str, record: bytes) -> None:
        """Leave a record out that was added, or will be."""
        self._dropped[span].add(self._number(tenant) + record)

    def spans(self) -> Iterator[tuple[str, dict[str, list[bytes]]]]:
        """Each span, and its records by tenant."""
        names = list(self._tenants)
        for span in sorted(self._buffers):
            path = self._path(span)
            text = (path.read_bytes() if path.exists() else b"") + self._buffers[span]
            size = _TENANT + RECORD_BYTES
            found = dict.fromkeys(text[at : at + size] for at in range(0, len(text), size))
            by_tenant: defaultdict[str, list[bytes]] = defaultdict(list)
            for each in found.keys() - self._dropped[span]:
                tenant = names[int.from_bytes(each[:_TENANT], "big")]
                by_tenant[tenant].append(each[_TENANT:])
            yield span, by_tenant

    def _number(self, tenant: str) -> bytes:
        found = self._tenants.get(tenant)
        if found is None:
            found = self._tenants[tenant] = len(self._tenants).to_bytes(_TENANT, "big")
        return found

    def _path(self, span: str) -> Path:
        return self._folder / f"{span}.ids"
