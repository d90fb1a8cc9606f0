"""What a request asks of the pool."""

from __future__ import annotations

import msgspec

from tollgate.proxy.lanes import Lane
from tollgate.proxy.latency import Kind


class Demand(msgspec.Struct, frozen=True, kw_only=True):
    """What decides where a request may go, and in what order it is tried there.

    Args:
        alias: The deployment as clients name it.
        lane: A low one leaves what is kept for high ones.
        tokens: What it may use at most, as estimated: the prompt, and the longest answer.
        client_region: An Azure region, or a key of the table of regions; others count as unknown.
        backend: The only one that may serve it, because it holds what the request refers to.
        kind: What the client waits for first; each has latencies of its own.
    """

    alias: str
    lane: Lane = "high"
    tokens: int = 0
    client_region: str | None = None
    backend: str | None = None
    kind: Kind = "whole"
