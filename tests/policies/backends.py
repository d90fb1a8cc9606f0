"""Backends and pools, with a breaker for each backend.

How API Management picks within a pool is documented; that a breaker opens at the first 429 or 5xx,
for as long as Retry-After says, is how the README has it set up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from policies.messages import Reply, first

_TOO_MANY_REQUESTS = 429
_SERVER_ERRORS = range(500, 600)


@dataclass
class Backend:
    """One backend.

    Args:
        url: What stands for the API's own address.
        is_open: Whether its breaker keeps it from being asked.
    """

    url: str
    is_open: bool = False

    def answered(self, reply: Reply) -> None:
        """Opens the breaker after a failure that says when to come back."""
        failed = reply.status == _TOO_MANY_REQUESTS or reply.status in _SERVER_ERRORS
        self.is_open = failed and first(reply.headers, "retry-after") is not None


@dataclass(frozen=True)
class Pool:
    """Backends and their priorities: the next number is asked when all breakers before are open."""

    members: Mapping[str, int]


@dataclass
class Backends:
    """All backends of a gateway, by id."""

    by_id: dict[str, Backend | Pool] = field(default_factory=dict[str, Backend | Pool])

    def pick(self, backend_id: str) -> Backend | None:
        """The backend that is asked now; None if every breaker is open."""
        found = self.by_id[backend_id]
        if isinstance(found, Backend):
            return None if found.is_open else found
        for member in sorted(found.members, key=lambda each: found.members[each]):
            if (picked := self.pick(member)) is not None:
                return picked
        return None
