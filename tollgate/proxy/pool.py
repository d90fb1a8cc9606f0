"""Which backends may serve a demand, and in what order they are asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby
from typing import Literal, Protocol

import msgspec

from tollgate.proxy.breaker import Circuit
from tollgate.proxy.demand import Demand
from tollgate.proxy.geography import Geography, plain
from tollgate.proxy.latency import Latencies


class Credential(Protocol):
    """What a backend wants to see; fetched for each attempt, cached behind this."""

    @property
    def ready(self) -> Mapping[str, str] | None:
        """The headers, if they are at hand."""
        ...

    async def headers(self) -> Mapping[str, str]:
        """The headers that authenticate us.

        Raises:
            BackendFailed: No token could be had.
        """
        ...


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How much a deployment takes, None where that is not known, and what is kept of it for high.

    What is kept counts only where the capacity is known.
    """

    tokens_per_minute: int | None = None
    requests_per_10s: int | None = None
    kept_tokens: int = 0
    kept_requests: int = 0


UNKNOWN_LIMITS = Limits()


class Deployment(msgspec.Struct, frozen=True, kw_only=True):
    """What stands behind an alias on one backend; all but the limits decides the price."""

    name: str
    model: str
    version: str | None
    deployment_type: Literal["standard", "provisioned", "batch", "developer"]
    scope: Literal["regional", "data_zone", "global"]
    limits: Limits = UNKNOWN_LIMITS


class Backend(msgspec.Struct, frozen=True, kw_only=True):
    """One Azure OpenAI resource; `url` ends in `/openai`."""

    name: str
    url: str
    region: str
    priority: int
    weight: int
    credential: Credential
    deployments: Mapping[str, Deployment]


class Target(msgspec.Struct, frozen=True):
    """A backend and the deployment there that an attempt goes to."""

    backend: Backend
    deployment: Deployment

    @property
    def circuit(self) -> Circuit:
        """The key of its circuit breaker."""
        return (self.backend.name, self.deployment.name)


class _Group:
    """Targets between which only the latency and the weights decide."""

    def __init__(self, targets: Iterable[Target]) -> None:
        self.targets = list(targets)
        self._weights = [target.backend.weight for target in self.targets]
        self._weight = sum(self._weights)

    def shuffled(self, random: Callable[[], float]) -> Sequence[Target]:
        """A weighted shuffle: of those that are left, the chance to come next is by the weight."""
        if len(self.targets) == 1:
            return self.targets
        left, weights, weight = self.targets.copy(), self._weights.copy(), self._weight
        ordered: list[Target] = []
        while len(left) > 1:
            point, place = random() * weight - weights[0], 0
            while point > 0:
                place += 1
                point -= weights[place]
            weight -= weights.pop(place)
            ordered.append(left.pop(place))
        return ordered + left


class Pool:
    """All backends.

    Args:
        backends: In any order; each with a name of its own.
        random: Gives numbers in [0, 1); the weights steer by it.
        geography: Prefers what is near to the client; None to leave that to the weights.
        latencies: Prefers what answers soon; None the same.
    """

    def __init__(
        self,
        backends: Iterable[Backend],
        random: Callable[[], float],
        *,
        geography: Geography | None = None,
        latencies: Latencies | None = None,
    ) -> None:
        self._random = random
        self._geography = geography
        self._latencies = latencies
        serving: dict[str, list[Target]] = {}
        for backend in backends:
            for alias, deployment in backend.deployments.items():
                serving.setdefault(alias, []).append(Target(backend, deployment))
        self._serving = serving
        self._regions = {
            plain(each.backend.region) for targets in serving.values() for each in targets
        }
        self._groups = {alias: _groups(targets) for alias, targets in serving.items()}
        # Not more than there are aliases times regions, or entries of the geography's table.
        self._near: dict[tuple[str, tuple[str, ...]], list[_Group]] = {}

    @property
    def limits(self) -> dict[Circuit, Limits]:
        """The limits of every circuit that has one; where aliases disagree, the strictest."""
        found: dict[Circuit, Limits] = {}
        for targets in self._serving.values():
            for target in targets:
                if target.deployment.limits != UNKNOWN_LIMITS:
                    before = found.get(target.circuit, UNKNOWN_LIMITS)
                    found[target.circuit] = _strictest(before, target.deployment.limits)
        return found

    def targets(self, demand: Demand | str) -> list[Target]:
        """Who may serve a demand, in the order to ask: none for an unknown alias.

        By priority; then provisioned capacity before what is paid by use; then the nearest to the
        client; then the fastest; and by weight where all that is equal.

        Args:
            demand: An alias alone stands for a plain demand.
        """
        if isinstance(demand, str):
            demand = Demand(alias=demand)
        ordered: list[Target] = []
        for group in self._groups_for(demand):
            ordered += self._ordered(group, demand)
        if demand.backend is not None:
            return [target for target in ordered if target.backend.name == demand.backend]
        return ordered

    def _ordered(self, group: _Group, demand: Demand) -> Sequence[Target]:
        targets = group.shuffled(self._random)
        if self._latencies is None or len(targets) == 1 or demand.backend is not None:
            return targets
        return self._latencies.order(targets, demand.kind)

    def _groups_for(self, demand: Demand) -> Sequence[_Group]:
        if self._geography is not None and demand.client_region is not None:
            preference = self._geography.preference(demand.client_region)
            if not self._regions.isdisjoint(preference):
                return self._groups_near(demand.alias, preference)
        return self._groups.get(demand.alias, ())

    def _groups_near(self, alias: str, preference: tuple[str, ...]) -> Sequence[_Group]:
        if alias not in self._serving:
            return ()
        key = (alias, preference)
        if key not in self._near:
            self._near[key] = _groups(self._serving[alias], preference)
        return self._near[key]


def _groups(targets: Iterable[Target], preference: Sequence[str] = ()) -> list[_Group]:
    """What is equal but for latency and weight, the first group first."""
    ranks = {region: rank for rank, region in reversed(list(enumerate(preference)))}

    def place(target: Target) -> tuple[int, bool, int]:
        backend, deployment = target.backend, target.deployment
        rank = ranks.get(plain(backend.region), len(preference))
        return backend.priority, deployment.deployment_type != "provisioned", rank

    return [_Group(group) for _, group in groupby(sorted(targets, key=place), key=place)]


def _strictest(one: Limits, other: Limits) -> Limits:
    return Limits(
        tokens_per_minute=_smaller(one.tokens_per_minute, other.tokens_per_minute),
        requests_per_10s=_smaller(one.requests_per_10s, other.requests_per_10s),
        kept_tokens=max(one.kept_tokens, other.kept_tokens),
        kept_requests=max(one.kept_requests, other.kept_requests),
    )


def _smaller(one: int | None, other: int | None) -> int | None:
    return min((each for each in (one, other) if each is not None), default=None)
