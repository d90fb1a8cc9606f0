"""What an attempt brings: a whole answer, or one that has begun to come."""

from __future__ import annotations

import msgspec

from tollgate.proxy.frames import FrameSource
from tollgate.proxy.messages import Headers
from tollgate.proxy.opening import Opening
from tollgate.proxy.pool import Target
from tollgate.proxy.ports import UpstreamAnswer


class WholeDelivery(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that is here as a whole.

    Args:
        asked: Who was asked.
        target: Who has served: mostly the same.
    """

    asked: Target
    target: Target
    attempts: int
    status: int
    headers: Headers
    body: bytes


class StreamDelivery(msgspec.Struct, frozen=True, kw_only=True):
    """A stream that has begun well; as above."""

    asked: Target
    target: Target
    attempts: int
    status: int
    headers: Headers
    opening: Opening
    frames: FrameSource


class SoundDelivery(msgspec.Struct, frozen=True, kw_only=True):
    """Sound that has begun to come; as above.

    Args:
        first: Its first bytes.
        answer: Brings the rest; must be closed.
    """

    asked: Target
    target: Target
    attempts: int
    status: int
    headers: Headers
    first: bytes
    answer: UpstreamAnswer


Delivery = WholeDelivery | StreamDelivery | SoundDelivery
