"""Server-sent events: one frame, and how its bytes are cut on the way out."""

from dataclasses import dataclass
from random import Random

from tollgate.local.simulator.json_types import encode


@dataclass(frozen=True, slots=True)
class Frame:
    """One server-sent event.

    Attributes:
        data: Its bytes, blank line included.
        pieces: Tokens of visible answer generated when it is sent, all choices together.
        early: Whether it opens the stream before any content, such as the prompt filter's.
    """

    data: bytes
    pieces: int
    early: bool = False


@dataclass(frozen=True, slots=True)
class StreamStyle:
    """How a stream is written.

    Attributes:
        include_usage: The client asked for usage.
        send_usage: Usage is really sent; a fault can withhold it.
        obfuscate: Frames bear random padding.
        late_filter: Frames of the asynchronous content filter follow the answer.
    """

    include_usage: bool = False
    send_usage: bool = True
    obfuscate: bool = False
    late_filter: bool = False


def data_frame(value: object, pieces: int, *, early: bool = False) -> Frame:
    """A frame with `data:` alone, as chat has it."""
    return Frame(b"data: %b\n\n" % encode(value), pieces, early)


def event_frame(kind: str, value: object, pieces: int, *, early: bool = False) -> Frame:
    """A frame with `event:` and `data:`, as the Responses API has it."""
    return Frame(b"event: %b\ndata: %b\n\n" % (kind.encode(), encode(value)), pieces, early)


class Splitter:
    """Cuts a stream of bytes into tiny pieces that respect no boundary.

    Args:
        seed: Decides where the cuts fall.
        largest_bytes: Longest piece.
    """

    def __init__(self, seed: int, largest_bytes: int) -> None:
        self._sizes = Random(seed)  # noqa: S311 - places of cuts, not secrets
        self._largest_bytes = largest_bytes
        self._rest = b""
        self._next_bytes = self._size()

    def pieces(self, data: bytes) -> list[bytes]:
        """The whole pieces that are ready; what is left waits for the next call."""
        buffer = self._rest + data
        ready: list[bytes] = []
        start = 0
        while len(buffer) - start >= self._next_bytes:
            ready.append(buffer[start : start + self._next_bytes])
            start += self._next_bytes
            self._next_bytes = self._size()
        self._rest = buffer[start:]
        return ready

    def rest(self) -> list[bytes]:
        """What is left at the end."""
        rest, self._rest = self._rest, b""
        return [rest] if rest else []

    def _size(self) -> int:
        return self._sizes.randint(1, self._largest_bytes)
