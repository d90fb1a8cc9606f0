"""What people read where a name is missing, stands for many, or has characters not to be shown."""

from __future__ import annotations

from typing import Final

from tollgate.ledger.cells import OVERFLOW

_MISSING: Final = {
    "billing_code": "— unallocated —",
    "user": "— no user —",
}
_UNKNOWN: Final = "— unknown —"
_MANY: Final = "— overflow —"
_SPECIAL: Final = frozenset({*_MISSING.values(), _UNKNOWN, _MANY})
_REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"


def label(field: str, name: str | None) -> str:
    """A group's value in words; a name that says the same as one of ours is put in quotes.

    Args:
        field: One of the report's `by`.
        name: The value; None is missing.
    """
    if name is None:
        return _MISSING.get(field, _UNKNOWN)
    if name == OVERFLOW:
        return _MANY
    return f'"{name}"' if name in _SPECIAL else shown(name)


def shown(name: str) -> str:
    """A name as a terminal may have it: without what is invisible or turns the text around."""
    return "".join(each if each.isprintable() else _REPLACEMENT for each in name)
