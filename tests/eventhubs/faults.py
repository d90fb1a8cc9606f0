"""What the broker does wrong, on demand: each fault once, in the order given."""

from __future__ import annotations

from collections import deque
from typing import Final, NamedTuple, TypeVar

_T = TypeVar("_T")

SERVER_BUSY: Final = "com.microsoft:server-busy"
TIMEOUT: Final = "com.microsoft:timeout"
DETACH_FORCED: Final = "amqp:link:detach-forced"
TOO_LARGE: Final = "amqp:link:message-size-exceeded"


class Refuse(NamedTuple):
    """Refuse the message with this error."""

    condition: str = SERVER_BUSY


class Detach(NamedTuple):
    """Take the message not, and detach the link with this error."""

    condition: str = DETACH_FORCED


class Drop(NamedTuple):
    """Drop the connection.

    Args:
        stored: The message is stored before; only its sender does not hear of it.
    """

    stored: bool


class Slow(NamedTuple):
    """Take the message, but only after this time."""

    delay_s: float


Fault = Refuse | Detach | Drop | Slow


class Faults:
    """The faults to come.

    Attributes:
        sends: For the next messages that are sent.
        attaches: Error conditions for the next links to a hub.
        tokens: Statuses for the next tokens that are put.
        readings: Statuses for the next readings of properties.
    """

    def __init__(self) -> None:
        self.sends: deque[Fault] = deque()
        self.attaches: deque[str] = deque()
        self.tokens: deque[int] = deque()
        self.readings: deque[int] = deque()


def next_of(faults: deque[_T]) -> _T | None:
    """The next one, if there is one."""
    return faults.popleft() if faults else None
