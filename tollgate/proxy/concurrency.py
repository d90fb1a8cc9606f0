"""What is under way at this instance: how many requests of a tenant, and their ids."""

from __future__ import annotations

from collections import Counter
from typing import Final

from tollgate.proxy.refusals import Refusal

_COME_BACK_S: Final = 1.0


class Concurrency:
    """Counts what is under way; kept when the settings change.

    Attributes:
        ids: Of the requests under way.
    """

    def __init__(self) -> None:
        self._under_way: Counter[str] = Counter()
        self.ids: set[str] = set()

    def enter(self, tenant: str, limit: int | None, request_id: str) -> None:
        """A request begins; it must end in `leave`.

        Raises:
            Refusal: 429 if as many as `limit` are under way; this one does not count then.
        """
        if limit is not None and self._under_way[tenant] >= limit:
            raise Refusal(
                429,
                "too_many_concurrent_requests",
                f"Your company has {limit} requests under way, as many as it may; try again later.",
                retry_after_s=_COME_BACK_S,
            )
        self._under_way[tenant] += 1
        self.ids.add(request_id)

    def leave(self, tenant: str, request_id: str) -> None:
        """A request that entered is over."""
        self.ids.discard(request_id)
        self._under_way[tenant] -= 1
        if not self._under_way[tenant]:
            del self._under_way[tenant]

    def under_way(self, tenant: str) -> int:
        """How many requests of a tenant are under way."""
        return self._under_way[tenant]
