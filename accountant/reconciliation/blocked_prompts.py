"""What Azure Monitor knows of blocked prompts, told to the invoice, which has no requests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

import msgspec

from accountant.reconciliation.items import REQUESTS, Day, Item
from accountant.reconciliation.sides import Provided, ProviderSide
from tollgate.usage.sku import Sku

INPUT = "input"
Deployment = tuple[str | None, str | None]  # backend and name


def with_blocked(
    invoice: ProviderSide, metrics: ProviderSide, places: Mapping[Deployment, Item]
) -> ProviderSide:
    """The invoice, with the calls that were answered 400 beside the input that they were billed.

    Args:
        invoice: The invoice's side.
        metrics: Azure Monitor's of the same month.
        places: Where the invoice has what a deployment used, if that is one place.
    """
    blocked = Counter[Day]()
    for (day, item), each in metrics.counts.items():
        place = places.get((item.backend, item.deployment))
        if item.meter == REQUESTS and each.blocked and place is not None:
            blocked[day, msgspec.structs.replace(place, meter=INPUT)] += each.blocked
    counts = dict(invoice.counts)
    for key, count in blocked.items():
        counts[key] = msgspec.structs.replace(counts.get(key, Provided()), blocked=count)
    return msgspec.structs.replace(invoice, counts=counts)


def only_places(found: Iterable[tuple[Sku, Item | None]]) -> dict[Deployment, Item]:
    """The place of each deployment that has one alone.

    Args:
        found: SKUs of the ledger, with their places on the invoice.
    """
    places: dict[Deployment, set[Item]] = {}
    for sku, place in found:
        if place is not None:
            places.setdefault((sku.backend, sku.deployment), set()).add(place)
    return {name: next(iter(some)) for name, some in places.items() if len(some) == 1}
