"""The sections of an AMQP 1.0 message (part 3 of the standard)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from eventhubs.amqp_decoding import decode
from eventhubs.amqp_encoding import encode
from eventhubs.amqp_types import Described

HEADER, DELIVERY, ANNOTATIONS, PROPERTIES, APPLICATION, DATA, SEQUENCE, VALUE, FOOTER = range(
    0x70, 0x79
)
BATCH_FORMAT: Final = 0x80013700  # a message whose data sections are messages themselves
PARTITION_KEY: Final = "x-opt-partition-key"


class Section(NamedTuple):
    """A section.

    Args:
        code: Which one.
        raw: Its bytes.
        value: What they say.
    """

    code: int
    raw: bytes
    value: Any


class Message(NamedTuple):
    """A message, section by section."""

    sections: list[Section]

    def first(self, code: int) -> Any:
        """The value of the first such section, or None."""
        return next((part.value for part in self.sections if part.code == code), None)

    def every(self, code: int) -> list[Any]:
        """The values of all such sections."""
        return [part.value for part in self.sections if part.code == code]

    def raw(self, *codes: int) -> bytes:
        """The bytes of these sections, in the order of the message."""
        return b"".join(part.raw for part in self.sections if part.code in codes)

    @property
    def annotations(self) -> dict[str, Any]:
        """The annotations that travel with it."""
        return self.first(ANNOTATIONS) or {}

    @property
    def key(self) -> str | None:
        """Its partition key."""
        key = self.annotations.get(PARTITION_KEY)
        return key.decode() if isinstance(key, bytes) else key


def parse(raw: bytes) -> Message:
    """Read a message."""
    sections: list[Section] = []
    at = 0
    while at < len(raw):
        described, end = decode(raw, at)
        sections.append(Section(int(described.code), raw[at:end], described.value))
        at = end
    return Message(sections)


def section(code: int, value: Any) -> bytes:
    """The bytes of one section."""
    return encode(Described(code, value))


def reply(correlation_id: Any, status: Mapping[str, Any], body: Any) -> bytes:
    """An answer to a request of `correlation_id`."""
    properties = [None, None, None, None, None, correlation_id]
    return section(PROPERTIES, properties) + section(APPLICATION, {**status}) + section(VALUE, body)
