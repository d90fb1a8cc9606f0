"""What the addresses of links name."""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

from eventhubs.amqp_types import Described

_AUTHORITY: Final = re.compile(r"^(?:amqps?|sb)://[^/]*/")
_SENDER: Final = re.compile(r"([^/]+)(?:/Partitions/([^/]+))?", re.IGNORECASE)
_READER: Final = re.compile(r"([^/]+)/ConsumerGroups/([^/]+)/Partitions/([^/]+)", re.IGNORECASE)


class Address(NamedTuple):
    """A hub, or a partition of it, as a consumer group sees it."""

    hub: str
    group: str | None
    partition: str | None


def path_of(terminus: Described | None) -> str:
    """The path within the namespace that a source or target names."""
    address = terminus.value[0] if terminus and terminus.value else None
    return _AUTHORITY.sub("", address or "").strip("/")


def sending_to(path: str) -> Address | None:
    """Where a client sends to."""
    match = _SENDER.fullmatch(path)
    return match and Address(match[1], None, match[2])


def reading_from(path: str) -> Address | None:
    """What a client reads."""
    match = _READER.fullmatch(path)
    return match and Address(match[1], match[2].lower(), match[3])


def selector_of(source: Described) -> str | None:
    """The filter of a source."""
    filters: dict[str, Any] = (source.value[7] if len(source.value) > 7 else None) or {}
    found = next((value for name, value in filters.items() if "selector" in name), None)
    selector = found.value if isinstance(found, Described) else found
    return selector.decode() if isinstance(selector, bytes) else selector
