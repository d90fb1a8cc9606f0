"""What a region was asked and what it billed, without prompts, completions or keys."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias

from tollgate.local.simulator.json_types import JsonObject

Outcome: TypeAlias = Literal["in_progress", "answered", "broken", "client_left"]

HIDDEN = "[hidden]"
_SECRET_HINTS = ("key", "auth", "token", "secret", "cookie", "password", "signature", "credential")


@dataclass(slots=True)
class LogEntry:
    """One request; completed while it is served.

    Attributes:
        number: Place among the requests of this region, from 1.
        at: When it arrived.
        method: HTTP method.
        path: Path as it came, still encoded.
        query: Query string as it came, without "?"; keys of the region are hidden.
        headers: Lower-case names; the value is None where it may be secret.
        request_id: `apim-request-id` of the answer.
        operation: What was asked for, such as "chat.completions".
        deployment: The deployment asked for.
        served_by: The deployment that served; another one after a spillover.
        response_id: Id of the generated answer.
        status: HTTP status; None when there was no answer.
        streamed: Whether a stream was asked for.
        faults: Kinds of the faults that befell it.
        outcome: Whether the answer went out whole.
        usage: What the provider bills, even if the client was not told; None for nothing.
        duration_ms: Milliseconds from the arrival to the end.
    """

    number: int
    at: datetime
    method: str
    path: str
    query: str
    headers: dict[str, str | None]
    request_id: str
    operation: str | None = None
    deployment: str | None = None
    served_by: str | None = None
    response_id: str | None = None
    status: int | None = None
    streamed: bool = False
    faults: list[str] = field(default_factory=list[str])
    outcome: Outcome = "in_progress"
    usage: JsonObject | None = None
    duration_ms: int | None = None

    def end(self, outcome: Outcome, at: datetime) -> None:
        """Completes the entry when the request is over."""
        self.outcome = outcome
        self.duration_ms = round((at - self.at).total_seconds() * 1000)


class RequestLog:
    """The last requests of a region, in order of arrival.

    Args:
        most: How many requests are kept; older ones are dropped and counted.
    """

    def __init__(self, most: int) -> None:
        self._entries: deque[LogEntry] = deque(maxlen=most)
        self.dropped = 0

    def add(self, entry: LogEntry) -> None:
        """Puts a request at the end."""
        self.dropped += len(self._entries) == self._entries.maxlen
        self._entries.append(entry)

    def clear(self) -> None:
        """Forgets all requests, and the count of those dropped."""
        self._entries.clear()
        self.dropped = 0

    def __iter__(self) -> Iterator[LogEntry]:
        return iter(tuple(self._entries))

    def __len__(self) -> int:
        return len(self._entries)

    def __getitem__(self, index: int) -> LogEntry:
        return self._entries[index]


def shown_headers(
    headers: Iterable[tuple[str, str]], keys: tuple[str, ...]
) -> dict[str, str | None]:
    """Headers as the log may show them.

    Args:
        headers: Names and values as they came.
        keys: Keys of the region, hidden wherever they stand.
    """
    shown: dict[str, str | None] = {}
    for raw_name, value in headers:
        name = raw_name.lower()
        secret = any(hint in name for hint in _SECRET_HINTS) or any(key in value for key in keys)
        earlier = shown.get(name)
        shown[name] = None if secret else value if earlier is None else f"{earlier}, {value}"
    return shown


def without_keys(text: str, keys: tuple[str, ...]) -> str:
    """The text with every key of the region hidden."""
    for key in keys:
        text = text.replace(key, HIDDEN)
    return text
