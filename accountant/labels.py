"""What people read where a name is missing or stands for many."""

from __future__ import annotations

from tollgate.ledger.cells import OVERFLOW

_MISSING = {
    "billing_code": "(unallocated)",
    "user": "(no user)",
}


def label(field: str, name: str | None) -> str:
    """A group's value in words.

    Args:
        field: One of the report's `by`.
        name: The value; None is missing.
    """
    if name is None:
        return _MISSING.get(field, "(unknown)")
    return "(overflow)" if name == OVERFLOW else name
