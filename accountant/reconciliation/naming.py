"""Our names for what Azure calls otherwise: resources, deployments, and meters of the invoice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from accountant.rate_cards.retail_meters import MeterName, read_meter

_NO_NAMES: Final[Mapping[str, str]] = MappingProxyType({})


class Resource(msgspec.Struct, frozen=True, kw_only=True):
    """An Azure OpenAI resource, and our names for it.

    Args:
        id: Its ARM id, or its name alone.
        backend: Our name.
        region: Where it is, as `westeurope`; needed to ask Azure Monitor.
        endpoint: Of its region's metrics; None is the public cloud's.
        deployments: Azure's name of a deployment to ours, where they differ.
    """

    id: str
    backend: str
    region: str | None = None
    endpoint: str | None = None
    deployments: Mapping[str, str] = _NO_NAMES


class ResourceMap(msgspec.Struct, frozen=True):
    """What a map file says; an empty one leaves every name as it is.

    Args:
        resources: Each once.
        meters: What names of the invoice mean that we cannot read, in small letters.
    """

    resources: tuple[Resource, ...] = ()
    meters: Mapping[str, MeterName] = MappingProxyType({})


class Naming:
    """Finds our names. Azure's are the same in capital and small letters.

    Args:
        names: What the map file says.
        backends: The ledger's, which a resource of the same name is.
        deployments: The ledger's.
    """

    def __init__(
        self, names: ResourceMap, backends: Iterable[str], deployments: Iterable[str]
    ) -> None:
        self._resources = {each.id.lower(): each for each in names.resources}
        self._backends = {name.lower(): name for name in sorted(backends)}
        self._deployments = {name.lower(): name for name in sorted(deployments)}
        self._meters = names.meters

    def backend(self, resource: str) -> str:
        """Our name of a resource, told by its ARM id or name; its own name if we have none."""
        account = account_of(resource)
        known = self._known(resource)
        return known.backend if known else self._backends.get(account.lower(), account)

    def deployment(self, resource: str, name: str) -> str:
        """Our name of a deployment."""
        known = self._known(resource)
        names = {azure.lower(): ours for azure, ours in known.deployments.items()} if known else {}
        return names.get(name.lower()) or self._deployments.get(name.lower(), name)

    def meter(self, name: str) -> MeterName | None:
        """What a meter's name means; None if neither we nor the map know."""
        return self._meters.get(name.strip().lower()) or read_meter(name)

    def _known(self, resource: str) -> Resource | None:
        account = account_of(resource)
        return self._resources.get(resource.lower()) or self._resources.get(account.lower())


def account_of(resource: str) -> str:
    """The name of the account in an ARM id; other text is a name already."""
    parts = resource.strip().strip("/").split("/")
    places = [place for place, part in enumerate(parts) if part.lower() == "accounts"]
    after = places[-1] + 1 if places else len(parts) - 1
    return parts[min(after, len(parts) - 1)]
