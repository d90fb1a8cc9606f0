"""Replies that are billed, and the faults that befall their streams."""

from collections.abc import Callable, Iterator

from tollgate.local.simulator.exchanges import Exchange, PlainReply, StreamReply
from tollgate.local.simulator.fault_answers import broken_off, broken_off_early, oddly_framed
from tollgate.local.simulator.faults import (
    ErrorAfterEarlyFrames,
    ErrorFirstFrame,
    ErrorMidStream,
    OddFraming,
)
from tollgate.local.simulator.frames import Frame
from tollgate.local.simulator.json_types import JsonObject, encode
from tollgate.local.simulator.routes import Operation


def plain_reply(
    exchange: Exchange, body: JsonObject | bytes, usage: JsonObject, content_type: str | None = None
) -> PlainReply:
    """A whole answer; its usage is billed whether it arrives or not.

    Args:
        exchange: The call; its log entry is completed.
        body: JSON, or the bytes of another type.
        usage: What is billed.
        content_type: Type of the body; None: JSON.
    """
    exchange.entry.usage = usage
    data = body if isinstance(body, bytes) else encode(body)
    return PlainReply(200, data, {}, content_type or "application/json")


def stream_reply(
    exchange: Exchange,
    operation: Operation,
    frames: Iterator[Frame],
    usage_until: Callable[[int], JsonObject | None],
) -> StreamReply:
    """A stream; what is generated until its end is billed, and nothing if it fails at once.

    Args:
        exchange: The call; its faults befall the stream, its log entry is completed.
        operation: What was asked for.
        frames: The right stream.
        usage_until: Usage when that many pieces had been generated.
    """
    applied = exchange.applied
    if applied.first(ErrorFirstFrame) or applied.first(ErrorAfterEarlyFrames):
        usage_until = nothing_billed
    exchange.entry.usage = usage_until(0)
    return StreamReply(_with_faults(frames, exchange, operation), usage_until)


def nothing_billed(_pieces: int) -> None:
    """The usage of a stream that costs nothing, however long it gets."""
    return


def _with_faults(
    frames: Iterator[Frame], exchange: Exchange, operation: Operation
) -> Iterator[Frame]:
    applied = exchange.applied
    if first := applied.first(ErrorFirstFrame):
        frames = broken_off(frames, 0, _error(first), operation)
    elif early := applied.first(ErrorAfterEarlyFrames):
        frames = broken_off_early(frames, _error(early), operation)
    elif later := applied.first(ErrorMidStream):
        frames = broken_off(frames, later.after_frames, _error(later), operation)
    return oddly_framed(frames) if applied.first(OddFraming) else frames


def _error(fault: ErrorFirstFrame | ErrorAfterEarlyFrames | ErrorMidStream) -> JsonObject:
    return {"code": fault.code, "message": fault.message}
