"""The names of the ledger's keys in Redis, and what they hold. Names of people are data.

    NAMESPACE:tenants                  set: every tenant; written before the tenant's cells
    NAMESPACE:{TENANT}:hours           sorted set: hour -> until when it remembers its ids
    NAMESPACE:{TENANT}:ids:DAY         string: how many ids, until when the keys stay; expires
    NAMESPACE:{TENANT}:ids:DAY:N       string: bucket N of the ids, records of 26 bytes; expires
    NAMESPACE:{TENANT}:money:HOUR      hash: [code,sku] -> counters
    NAMESPACE:{TENANT}:users:DAY       hash: [code,user,sku] -> counters
    NAMESPACE:{TENANT}:skus            hash: values of a SKU -> its number, which stands in cells
    NAMESPACE:{TENANT}:codes           set: billing codes with a cell of their own
    NAMESPACE:{TENANT}:names:DAY       set: users with a cell of their own
    NAMESPACE:{TENANT}:pairs           hash: key digest -> the half of a completion that came first
    NAMESPACE:{TENANT}:pairs_until     sorted set: key digest -> until when it is kept
    NAMESPACE:{TENANT}:conflict, late  hash: key and body digest -> the event as received

TENANT is percent-encoded. All keys of a tenant lie in one slot. Names, values of SKUs and counters
are JSON; counters are [requests, {meter: [quantity, requests]}].

**Buckets.** A record is `e` or, of a completion, `c`, the digest of the key, a letter for the hour
(A is midnight), and the digest of the body. A day of n ids has n // 20 + 1 buckets: linear hashing
on the digest, so a bucket has some 10 to 50 records however many ids a day gets, a day of few ids
has one key, and one look-up reads one bucket, for the hours beside as well. Packed like this an id
takes some 50 bytes, where a field of a large hash takes 90 or more. No setting of the server
matters, as it would for the compact encoding of small hashes.

**Memory.** `hours` alone decides what is remembered. The keys of a day's ids live for that long
after the day's end, and half a day more, so that no write on the day itself needs to touch every
bucket; a later write does when it must, at most once in half a day.

**Keys that a call does not name.** Which buckets an event needs depends on how many there are, so
only the script knows it. They lie in the tenant's slot, and the script looks at each key before it
writes any: where a cluster moves the slot meanwhile, the call fails as a whole, and is repeated.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal
from urllib.parse import quote

from tollgate.usage.periods import day_of_hour, hours_beside

NAMESPACE: Final = "tollgate"


def tenants_key(namespace: str) -> str:
    """The key of the set of all tenants."""
    return f"{namespace}:tenants"


class TenantKeys:
    """The keys of one tenant."""

    def __init__(self, namespace: str, tenant: str) -> None:
        self.prefix = f"{namespace}:{{{quote(tenant, safe='')}}}:"
        self.hours = f"{self.prefix}hours"
        self.skus = f"{self.prefix}skus"
        self.codes = f"{self.prefix}codes"

    def money(self, hour: str) -> str:
        """The money cells of an hour."""
        return f"{self.prefix}money:{hour}"

    def users(self, day: str) -> str:
        """The user cells of a day."""
        return f"{self.prefix}users:{day}"

    def ids(self, day: str) -> str:
        """How many ids a day remembers; what their buckets' keys begin with."""
        return f"{self.prefix}ids:{day}"

    def names(self, day: str) -> str:
        """The users of a day with a cell of their own."""
        return f"{self.prefix}names:{day}"

    def kept_aside(self, reason: Literal["conflict", "late"]) -> str:
        """The events that were not counted."""
        return f"{self.prefix}{reason}"

    def of(self, hours: Iterable[str]) -> list[str]:
        """Every key that applying events of these hours is known to touch beforehand."""
        names = {"hours", "codes", "skus", "pairs", "pairs_until"}
        for hour in hours:
            day = day_of_hour(hour)
            names |= {f"ids:{day_of_hour(near)}" for near in (hour, *hours_beside(hour))}
            names |= {f"money:{hour}", f"users:{day}", f"names:{day}"}
        return [self.prefix + name for name in sorted(names)]
