"""Who pays: a tenant with one of its billing codes."""

from __future__ import annotations

from typing import Final

# The tenant of unknown callers, and of what nobody is to bear.
UNALLOCATED: Final = "unallocated"

# A tenant, and one of its billing codes; None is unallocated within the tenant.
Payer = tuple[str, str | None]


def payer_in_words(payer: Payer) -> str:
    """A payer for messages, such as `contoso/CC-1001`."""
    tenant, code = payer
    return f"{tenant}/{code}" if code is not None else f"{tenant} without a billing code"
