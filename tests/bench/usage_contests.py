"""Decoding events and reading streams, beside the least that any code would have to do."""

from __future__ import annotations

from pathlib import Path

import msgspec
from bench.measuring import Contest
from builders import raw_event

from tollgate.usage.event import Name, UsageEvent, decode_event
from tollgate.usage.extraction import StreamMeter
from tollgate.usage.sse import SseReader

_STREAM = Path(__file__).parents[1] / "examples/streams/chat_with_usage.sse"
_PIECE_BYTES = 1_400  # what a TCP segment carries


def usage_contests() -> list[Contest]:
    """What runs once an event, and once a frame."""
    return [_decode(), _read_stream()]


def _decode() -> Contest:
    raws = [raw_event(f"request-{number}") for number in range(100)]
    decoder = msgspec.json.Decoder(UsageEvent[Name])

    def ours() -> int:
        return len([decode_event(raw) for raw in raws])

    def theirs() -> int:
        return len([decoder.decode(raw) for raw in raws])

    return Contest("usage.decode", "events/s", "decode_only", ours, theirs)


def _read_stream() -> Contest:
    stream = _STREAM.read_bytes()
    pieces = [stream[at : at + _PIECE_BYTES] for at in range(0, len(stream), _PIECE_BYTES)]

    def ours() -> int:
        reader, meter = SseReader(), StreamMeter("chat.completions")
        frames = [frame for piece in pieces for frame in reader.feed(piece)]
        return len([meter.see(frame) for frame in frames])

    def theirs() -> int:
        return len(b"".join(pieces).split(b"\n\n")) - 1

    return Contest("usage.read_stream", "frames/s", "split_only", ours, theirs)
