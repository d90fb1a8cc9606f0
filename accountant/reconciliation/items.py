"""What is compared: one meter of one deployment on one UTC day, as each source can tell it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Final, Literal

import msgspec

from accountant.lines import name_order
from accountant.meters import TOKEN_METERS
from accountant.rate_cards.retail_meters import named_version
from tollgate.usage.sku import Sku

Source = Literal["metrics", "log", "invoice"]

PROMPT: Final = "prompt"
COMPLETION: Final = "completion"
REQUESTS: Final = "requests"
_ORDER: Final = (PROMPT, COMPLETION, *TOKEN_METERS, REQUESTS)
_DEFAULT_TIERS: Final = frozenset({None, "auto", "standard"})


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """What both sides count. A name that is None is not told by the source, or not known.

    Args:
        backend: The Azure OpenAI resource, by our name for it.
        deployment: By our name.
        model: As deployments call it.
        model_version: Only where the provider's meter has one.
        scope: `regional`, `data_zone` or `global`.
        deployment_type: `standard` or `batch`.
        service_tier: `default`, `priority` or `flex`.
        meter: `prompt`, `completion` and `requests` of Azure Monitor, or a token leaf of the
            invoice; a meter of the invoice that is not understood is here by its own name. Empty:
            the place of all meters.
    """

    backend: str | None = None
    deployment: str | None = None
    model: str | None = None
    model_version: str | None = None
    scope: str | None = None
    deployment_type: str | None = None
    service_tier: str | None = None
    meter: str = ""

    @property
    def place(self) -> Item:
        """The same without its meter."""
        return msgspec.structs.replace(self, meter="")

    @property
    def target(self) -> Target:
        """Whom it is of: backend, deployment and model."""
        return self.backend, self.deployment, self.model

    @property
    def unit(self) -> Literal["token", "request"]:
        """What is counted, in the singular."""
        return "request" if self.meter == REQUESTS else "token"


Target = tuple[str | None, str | None, str | None]
Day = tuple[date, Item]


def item_order(item: Item) -> tuple[object, ...]:
    """What items are sorted by: names, then meters as they are listed."""
    names = tuple(name_order(name) for name in msgspec.structs.astuple(item)[:-1])
    meter = _ORDER.index(item.meter) if item.meter in _ORDER else len(_ORDER)
    return (names, meter, item.meter)


def target_order(target: Target | tuple[()]) -> tuple[object, ...]:
    """What targets are sorted by; none comes first."""
    return tuple(map(name_order, target))


class Folding(msgspec.Struct, frozen=True):
    """How the ledger's usage is told as a source can tell it.

    Args:
        place: The place of a SKU; None: the source has nothing of it.
        meter: What a token leaf is counted in.
        has_requests: Whether the source counts requests.
    """

    place: Callable[[Sku], Item | None]
    meter: Callable[[str], str]
    has_requests: bool


def _whole(leaf: str) -> str:
    """Azure Monitor's counts are inclusive: cached, audio and image tokens are prompt's."""
    return COMPLETION if leaf.endswith("output") else PROMPT


def _invoiced(sku: Sku) -> Item | None:
    if sku.deployment_type == "provisioned":  # billed by the hour
        return None
    return Item(
        backend=sku.backend,
        model=sku.model,
        model_version=named_version(sku.model, sku.model_version),
        scope=sku.scope,
        deployment_type=sku.deployment_type,
        service_tier="default" if sku.service_tier in _DEFAULT_TIERS else sku.service_tier,
    )


FOLDINGS: Final[dict[Source, Folding]] = {
    "metrics": Folding(
        lambda sku: Item(backend=sku.backend, deployment=sku.deployment), _whole, has_requests=True
    ),
    # The log of the gateway names no resource.
    "log": Folding(lambda sku: Item(deployment=sku.deployment), _whole, has_requests=True),
    "invoice": Folding(_invoiced, lambda leaf: leaf, has_requests=False),
}
