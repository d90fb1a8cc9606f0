"""The two kinds of links, and the credit that they give and take (2.6 of the standard)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from eventhubs.amqp_types import Described, UInt
from eventhubs.frames import DETACH, DISPOSITION, Frame, error
from eventhubs.hub import Partition
from eventhubs.sessions import Session

CREDIT: Final = 300  # messages that a client may send before the broker must allow more

# Takes a message of a format; gives its outcome, or None where none is told.
Take = Callable[[bytes, int], Awaitable[Described | None]]


class Link:
    """One end of a link.

    Args:
        session: Where it is.
        handle: Its number there.
    """

    def __init__(self, session: Session, handle: int) -> None:
        self.session = session
        self.handle = handle
        self.delivery_count: int = 0

    def detach(self, condition: str | None = None, description: str = "") -> None:
        """End it."""
        why = error(condition, description) if condition else None
        self.session.send(DETACH, [UInt(self.handle), True, why])


class ReceivingLink(Link):
    """Takes what the client sends.

    Args:
        session: Where it is.
        handle: Its number there.
        take: Gets each message.
    """

    def __init__(self, session: Session, handle: int, take: Take) -> None:
        super().__init__(session, handle)
        self._take = take
        self._credit = 0
        self._first: Frame | None = None
        self._parts: list[bytes] = []

    def grant(self) -> None:
        """Allow the client a full credit again."""
        self._credit = CREDIT
        self.session.flow(self.handle, self.delivery_count, CREDIT)

    async def on_transfer(self, frame: Frame) -> None:
        """A frame of a message came; answer its last one."""
        first = self._first = self._first or frame
        self._parts.append(frame.payload)
        if frame.fields[5]:
            return
        message, self._parts, self._first = b"".join(self._parts), [], None
        if self._credit == 0:
            raise AssertionError("the client sends more than its credit")
        self._credit -= 1
        self.delivery_count += 1
        outcome = await self._take(message, first.fields[3] or 0)
        if outcome is not None and not first.fields[4]:
            delivery_id = first.fields[1]
            self.session.send(DISPOSITION, [True, delivery_id, delivery_id, True, outcome])
        if self._credit <= CREDIT // 2:
            self.grant()


class SendingLink(Link):
    """Sends as much as the client allows."""

    def __init__(self, session: Session, handle: int) -> None:
        super().__init__(session, handle)
        self.credit = 0

    def on_flow(self, fields: list[Any]) -> None:
        """The client allows more, or wants its credit used up."""
        self.credit = (fields[5] or 0) + fields[6] - self.delivery_count
        self.pump()
        if fields[8]:
            self.delivery_count += self.credit
            self.credit = 0
            self.session.flow(self.handle, self.delivery_count, 0, drained=True)

    def next_message(self) -> bytes | None:
        """What is to be sent next: nothing, on a link that is refused."""
        return None

    def pump(self) -> None:
        """Send what there is, within the credit and the session's window."""
        while self.credit > 0 and self.session.client_window > 0:
            if (message := self.next_message()) is None:
                return
            self.session.transfer(self.handle, message)
            self.delivery_count += 1
            self.credit -= 1


class ReplyLink(SendingLink):
    """Sends the answers of a node of the broker's own.

    Args:
        session: Where it is.
        handle: Its number there.
        node: Whose answers.
    """

    def __init__(self, session: Session, handle: int, node: str) -> None:
        super().__init__(session, handle)
        self.node = node
        self._answers: list[bytes] = []

    def answer(self, message: bytes) -> None:
        """Send an answer."""
        self._answers.append(message)
        self.pump()

    def next_message(self) -> bytes | None:
        """The oldest answer."""
        return self._answers.pop(0) if self._answers else None


class PartitionLink(SendingLink):
    """Sends the events of a partition.

    Args:
        session: Where it is.
        handle: Its number there.
        group: The consumer group, and the partition as (hub, id).
        partition: The events.
        owner_level: A reader with a lower one has to leave; None for one that shares.
    """

    def __init__(
        self,
        session: Session,
        handle: int,
        group: tuple[str, str, str],
        partition: Partition,
        owner_level: int | None,
    ) -> None:
        super().__init__(session, handle)
        self.group = group
        self.partition = partition
        self.owner_level = owner_level
        self.position = 0

    def next_message(self) -> bytes | None:
        """The event after the last one."""
        if self.position == len(self.partition.events):
            return None
        self.position += 1
        return self.partition.events[self.position - 1].wire()
