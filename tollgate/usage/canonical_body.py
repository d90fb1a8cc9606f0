"""The digest of an event's body: the same for every spelling of the same JSON."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, Final

import msgspec

# Members of a struct stand in the order of its definition; this orders those of free objects.
canonical: Final = msgspec.json.Encoder(order="deterministic")


def present_members(
    struct: type[msgspec.Struct], nested: Mapping[str, type[msgspec.Struct]]
) -> type[msgspec.Struct]:
    """A struct of the same members that keeps what is there as it is, and leaves out what is not.

    Encoded by `canonical` it is the canonical JSON of what was decoded. It checks nothing but the
    names: decoding raises `msgspec.ValidationError` for a member that `struct` does not have.

    Args:
        struct: Names the members.
        nested: Those that are such objects themselves, or null.
    """
    members = [
        (name, nested[name] | msgspec.UnsetType | None if name in nested else Any, msgspec.UNSET)
        for name in sorted(struct.__struct_fields__)
    ]
    return msgspec.defstruct(
        f"Present{struct.__name__}", members, forbid_unknown_fields=True, frozen=True, gc=False
    )


def body_digest(event_type: str, subject: str, time: str, data: bytes) -> bytes:
    """64-bit digest of the canonical JSON of a body, given the canonical JSON of its data."""
    beginning = canonical.encode((event_type, subject, time))
    return blake2b(b"%b,%b]" % (beginning[:-1], data), digest_size=8).digest()
