"""Ids by hour, on disk as soon as they are many."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_RECORD: Final = 25
_TENANT: Final = 4  # bytes of a tenant's number before each record
_BUFFER_BYTES: Final = 32_000_000


class IdSpool:
    """Collects records of ids, and gives back those of an hour at a time.

    Args:
        folder: Takes a file for each hour.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._buffers: defaultdict[str, bytearray] = defaultdict(bytearray)
        self._buffered = 0
        self._tenants: dict[str, bytes] = {}
        self._dropped: defaultdict[str, set[bytes]] = defaultdict(set)

    def add(self, tenant: str, hour: str, record: bytes) -> None:
        """Add a record; a repetition changes nothing."""
        self._buffers[hour] += self._number(tenant) + record
        self._buffered += _TENANT + _RECORD
        if self._buffered > _BUFFER_BYTES:
            for name, buffer in self._buffers.items():
                with self._path(name).open("ab") as file:
                    file.write(buffer)
            self._buffers = defaultdict(bytearray, {name: bytearray() for name in self._buffers})
            self._buffered = 0

    def drop(self, tenant: str, hour: str, record: bytes) -> None:
        """Leave a record out that was added, or will be."""
        self._dropped[hour].add(self._number(tenant) + record)

    def hours(self) -> Iterator[tuple[str, dict[str, list[bytes]]]]:
        """Each hour, and its records by tenant."""
        names = list(self._tenants)
        for hour in sorted(self._buffers):
            path = self._path(hour)
            text = (path.read_bytes() if path.exists() else b"") + self._buffers[hour]
            size = _TENANT + _RECORD
            found = dict.fromkeys(text[at : at + size] for at in range(0, len(text), size))
            by_tenant: defaultdict[str, list[bytes]] = defaultdict(list)
            for each in found.keys() - self._dropped[hour]:
                tenant = names[int.from_bytes(each[:_TENANT], "big")]
                by_tenant[tenant].append(each[_TENANT:])
            yield hour, by_tenant

    def _number(self, tenant: str) -> bytes:
        found = self._tenants.get(tenant)
        if found is None:
            found = self._tenants[tenant] = len(self._tenants).to_bytes(_TENANT, "big")
        return found

    def _path(self, hour: str) -> Path:
        return self._folder / f"{hour}.ids"
