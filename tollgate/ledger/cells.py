"""What the ledger holds: counters per payer and SKU, by hour for money and by day for users."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Protocol

import msgspec

from tollgate.usage.periods import Month
from tollgate.usage.sku import Sku

# Stands for all users (or billing codes) beyond the limit. No event can carry it: names have no
# control characters.
OVERFLOW: Final = "\x1foverflow"
MAX_USERS_PER_DAY: Final = 10_000
MAX_BILLING_CODES: Final = 10_000


class Meter(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """How much of one thing: tokens of a leaf, or a unit.

    Args:
        quantity: The sum over the requests. 0 only for `output`, where all of it was reasoning.
        requests: How many requests had any of it; those of `output` include reasoning.
    """

    quantity: int
    requests: int


class Usage(msgspec.Struct, frozen=True):
    """What one SKU used in one cell.

    Args:
        requests: All requests, also those without a count.
        meters: Leaf or unit name to its meter; names are those of `tollgate.usage.tokens.leaves`,
            and `units` of the event.
    """

    requests: int
    meters: dict[str, Meter]


class MoneyCell(msgspec.Struct, frozen=True, kw_only=True):
    """Usage of a tenant's billing code in one UTC hour; `billing_code` None is unallocated."""

    tenant: str
    hour: str
    billing_code: str | None
    sku: Sku
    usage: Usage


class UserCell(msgspec.Struct, frozen=True, kw_only=True):
    """Usage of a tenant's billing code by one user on one UTC day."""

    tenant: str
    day: str
    billing_code: str | None
    user: str | None
    sku: Sku
    usage: Usage


class LedgerReader(Protocol):
    """The read side, in one stable order whatever the storage."""

    def tenants(self) -> list[str]:
        """Every tenant that ever used anything, sorted."""
        ...

    def money_cells(self, month: Month) -> Iterator[MoneyCell]:
        """The month's cells, sorted by tenant, hour, billing code and SKU."""
        ...

    def user_cells(self, month: Month) -> Iterator[UserCell]:
        """The same usage by user, sorted by tenant, day, billing code, user and SKU."""
        ...
