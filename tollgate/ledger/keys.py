"""The names of the ledger's keys in Redis, and what they hold. Names of people are data.

    NAMESPACE:tenants                  set: every tenant; written before the tenant's cells
    NAMESPACE:{TENANT}:hours           sorted set: hour -> until when it remembers its ids
    NAMESPACE:{TENANT}:ids:SPAN        hash: bucket -> records of ids, n -> how many; expires
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

**Ids.** SPAN is the first of four hours of a day. A record has 26 bytes: `e` or, of a completion,
`c`, the digest of the key, a letter for the hour (A is midnight), and the digest of the body. A
span of n ids has n // 6 + 1 buckets: linear hashing on the digest, so a bucket has some 3 to 20
records however many ids a span gets, and a look-up reads one, which mostly answers for the hours
beside as well. What is read and written lies in the spans of the events, whatever else is
remembered. An id takes some 40 bytes like this, where a field of its own in a large hash takes 90
or more, and no setting of the server matters, as it would for the compact encoding of small hashes.
`hours` alone decides what is remembered; the key of a span lives until its last hour forgets.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal
from urllib.parse import quote

from tollgate.usage.periods import day_of_hour, hours_beside

NAMESPACE: Final = "tollgate"
SPAN_H: Final = 4  # hours whose ids lie together; a divisor of 24


def tenants_key(namespace: str) -> str:
    """The key of the set of all tenants."""
    return f"{namespace}:tenants"


def span_of(hour: str) -> str:
    """The first hour of the span that an hour lies in."""
    return f"{hour[:-2]}{int(hour[-2:]) // SPAN_H * SPAN_H:02d}"


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

    def ids(self, span: str) -> str:
        """The ids of a span; see `span_of`."""
        return f"{self.prefix}ids:{span}"

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
            names |= {f"ids:{span_of(near)}" for near in (hour, *hours_beside(hour))}
            names |= {f"money:{hour}", f"users:{day}", f"names:{day}"}
        return [self.prefix + name for name in sorted(names)]
