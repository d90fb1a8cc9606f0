"""Publishes to several brokers at once; an event that comes by each of them is counted once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from tollgate.events.drain import Publisher


class SeveralBrokers:
    """Brokers that each get every event.

    Args:
        brokers: These; at least one.
    """

    def __init__(self, brokers: Sequence[Publisher]) -> None:
        self._brokers = brokers

    async def publish(self, events: Sequence[bytes]) -> list[bytes]:
        """Send encoded CloudEvents to each; returns when all have taken them.

        Returns:
            Those that any of them refuses: another one may not lead to the ledger.

        Raises:
            PublishFailed: One of them has not taken them; others may have.
        """
        answers = await asyncio.gather(
            *(broker.publish(events) for broker in self._brokers), return_exceptions=True
        )
        refused: list[bytes] = []
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer
            refused += answer
        return list(dict.fromkeys(refused))
