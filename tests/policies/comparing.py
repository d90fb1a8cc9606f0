"""What events about the same call have in common, and the cases of which all must hold."""

from __future__ import annotations

from typing import Any, Final

import msgspec
import pytest
from policies.behind import MINI

from tollgate.usage.event import UsageEvent

# Of each emitter; and which of several backends served, which API Management does not say.
_EMITTERS: Final = ("gateway", "latency_ms", "first_token_ms", "backend")

both_surfaces = pytest.mark.parametrize("surface", ["dated", "v1"])
streamed_or_not = pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
both_topologies = pytest.mark.parametrize("topology", ["direct", "proxy"])


def comparable(event: UsageEvent, *left_out: str) -> dict[str, Any]:
    """What two events about the same call have in common."""
    data = msgspec.to_builtins(event.data)
    kept = {name: data[name] for name in data if name not in {*_EMITTERS, *left_out}}
    if "response_id" in kept:
        kept["response_id"] = kept["response_id"] is not None
    return kept | {"subject": event.subject, "type": event.type}


def paid_by_alice(**changes: Any) -> dict[str, Any]:
    """What is the same in all events of alice's chats."""
    return {
        "subject": "contoso/CC-1001",
        "type": "tollgate.usage.v1",
        "tenant": "contoso",
        "billing_code": "CC-1001",
        "user": "alice",
        "subscription": "sub-42",
        "api": "chat.completions",
        "deployment": MINI,
        "model": None,
        "model_version": None,
        "deployment_type": None,
        "scope": None,
        "service_tier": None,
        "region": None,
        "streamed": False,
        "cancelled": False,
        "delivered": True,
        "cache_hit": False,
        "priority": "high",
        "response_id": False,
        "completes": False,
        "units": {},
        "saved": None,
        **changes,
    }
