"""One call under way, and the kinds of reply that it can get; nothing of a web framework."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias

from tollgate.local.simulator.faults_in_force import AppliedFaults
from tollgate.local.simulator.frames import Frame
from tollgate.local.simulator.identifiers import Identifiers
from tollgate.local.simulator.json_types import JsonObject
from tollgate.local.simulator.request_log import LogEntry


@dataclass(slots=True)
class Exchange:
    """A call, and what has been found out about it so far.

    Attributes:
        method: HTTP method.
        path: Decoded path.
        query: Decoded query.
        headers: Request headers, looked up without regard to case.
        content: Request body.
        at: When it arrived.
        ids: Ids of its answer.
        entry: Its place in the log.
        applied: The faults that befall it.
        reply_headers: Headers that its answer bears, whatever it is.
        first_byte_s: Seconds that the deployment takes to begin.
        between_frames_s: Seconds that the deployment takes between two frames.
        token_latency_s: Seconds that the deployment takes for a token of streamed text.
        generation_s: Seconds that the whole answer takes to be generated, if it is not streamed.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    content: bytes
    at: datetime
    ids: Identifiers
    entry: LogEntry
    applied: AppliedFaults = field(default_factory=AppliedFaults)
    reply_headers: dict[str, str] = field(default_factory=dict[str, str])
    first_byte_s: float = 0.0
    between_frames_s: float = 0.0
    token_latency_s: float = 0.0
    generation_s: float = 0.0


@dataclass(frozen=True, slots=True)
class PlainReply:
    """An answer in one piece."""

    status: int
    body: bytes
    headers: Mapping[str, str]
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class StreamReply:
    """A stream of frames.

    Attributes:
        frames: The frames, made as they are sent.
        usage_until: The usage billed when that many pieces had been generated; None for nothing.
    """

    frames: Iterator[Frame]
    usage_until: Callable[[int], JsonObject | None]


@dataclass(frozen=True, slots=True)
class CutReply:
    """No answer: the connection ends."""

    how: Literal["close", "reset"]


Reply: TypeAlias = PlainReply | StreamReply | CutReply
