"""The digest of the cells that a ledger showed of a month, taken while they are read."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import Final

import msgspec

from accountant.kept_aside import Ledger
from tollgate.ledger.cells import MoneyCell, UserCell
from tollgate.ledger.outcome import KeptAside
from tollgate.usage.periods import Month

_encoder: Final = msgspec.msgpack.Encoder()
NO_CELLS: Final = sha256(b"").hexdigest()


class WatchedLedger:
    """A ledger, of which is known what it showed.

    Args:
        ledger: The one that is read.

    Attributes:
        digests: Of the months that were read to their end, as they were the last time.
        moved: The months that were not the same each time.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.digests: dict[str, str] = {}
        self.moved: set[str] = set()

    def tenants(self) -> list[str]:
        """See `LedgerReader`."""
        return self._ledger.tenants()

    def money_cells(self, month: Month) -> Iterator[MoneyCell]:
        """See `LedgerReader`; the digest is taken by the way."""
        digest = sha256()
        for cell in self._ledger.money_cells(month):
            digest.update(_encoder.encode(cell))
            yield cell
        found, name = digest.hexdigest(), str(month)
        if self.digests.get(name, found) != found:
            self.moved.add(name)
        self.digests[name] = found

    def user_cells(self, month: Month) -> Iterator[UserCell]:
        """See `LedgerReader`."""
        return self._ledger.user_cells(month)

    def kept_aside(self, tenant: str) -> KeptAside:
        """See `Ledger`."""
        return self._ledger.kept_aside(tenant)

    def digest(self, month: Month) -> str:
        """Of a month's cells, all read for it."""
        for _ in self.money_cells(month):
            pass
        return self.digests[str(month)]
