"""The names of the ledger's keys and hash fields in Redis. Names of people and tenants are data.

    NAMESPACE:tenants                  set: every tenant; written before the tenant's cells
    NAMESPACE:{TENANT}:hours           sorted set: hour -> until when its ids are kept
    NAMESPACE:{TENANT}:ids:HOUR        hash: key digest -> body digest; expires
    NAMESPACE:{TENANT}:money:HOUR      hash: [code,sku], [code,sku,"q"|"n",meter] -> counter
    NAMESPACE:{TENANT}:users:DAY       hash: [code,user,sku], … -> counter
    NAMESPACE:{TENANT}:codes           set: billing codes with a cell of their own
    NAMESPACE:{TENANT}:names:DAY       set: users with a cell of their own
    NAMESPACE:{TENANT}:pairs           hash: key digest -> the half of a completion that came first
    NAMESPACE:{TENANT}:pairs_until     sorted set: key digest -> until when it is kept
    NAMESPACE:{TENANT}:conflict, late  hash: key and body digest -> the event as received

TENANT is percent-encoded. All keys of a tenant lie in one slot.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal
from urllib.parse import quote

import msgspec

from tollgate.ledger.booking import Booking
from tollgate.ledger.rows import Row, Tally
from tollgate.usage.sku import Sku

NAMESPACE: Final = "tollgate"
_FIELD: Final = msgspec.json.Decoder(list[Any])


def tenants_key(namespace: str) -> str:
    """The key of the set of all tenants."""
    return f"{namespace}:tenants"


class TenantKeys:
    """The keys of one tenant."""

    def __init__(self, namespace: str, tenant: str) -> None:
        self.prefix = f"{namespace}:{{{quote(tenant, safe='')}}}:"
        self.hours = f"{self.prefix}hours"

    def money(self, hour: str) -> str:
        """The money cells of an hour."""
        return f"{self.prefix}money:{hour}"

    def users(self, day: str) -> str:
        """The user cells of a day."""
        return f"{self.prefix}users:{day}"

    def kept_aside(self, reason: Literal["conflict", "late"]) -> str:
        """The events that were not counted."""
        return f"{self.prefix}{reason}"

    def of(self, bookings: Iterable[Booking]) -> list[str]:
        """Every key that applying the bookings is known to touch beforehand."""
        hours = {hour for booking in bookings for hour in (booking.hour, *booking.beside)}
        names = {f"ids:{hour}" for hour in hours}
        names |= {f"money:{booking.hour}" for booking in bookings}
        names |= {f"users:{booking.day}" for booking in bookings}
        names |= {f"names:{booking.day}" for booking in bookings}
        names |= {"hours", "codes", "pairs", "pairs_until"}
        return [self.prefix + name for name in sorted(names)]


def name_field(name: str | None) -> str:
    """A name as it stands in a field: JSON, so that no name can look like two."""
    return msgspec.json.encode(name).decode()


def sku_field(sku: Sku) -> str:
    """A SKU as it stands in a field: the JSON array of its values."""
    return msgspec.json.encode(msgspec.structs.astuple(sku)).decode()


def read_rows(counters: Mapping[bytes, bytes], names: int) -> dict[Row, Tally]:
    """Read a hash of counters.

    Args:
        counters: The hash.
        names: How many names stand before the SKU: 1 in money cells, 2 in user cells.
    """
    rows: defaultdict[Row, Tally] = defaultdict(Tally)
    for field, value in counters.items():
        parts = _FIELD.decode(field)
        tally = rows[tuple(parts[:names]), _sku(tuple(parts[names]))]
        match parts[names + 1 :]:
            case ["q", meter]:
                tally.quantities[meter] = int(value)
            case ["n", meter]:
                tally.counted[meter] = int(value)
            case _:
                tally.requests = int(value)
    return rows


def _sku(values: tuple[Any, ...]) -> Sku:
    return Sku(**dict(zip(Sku.__struct_fields__, values, strict=True)))
