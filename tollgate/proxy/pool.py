"""Which backends may serve a deployment alias, and in what order they are asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import groupby
from typing import Literal, Protocol

import msgspec


class Credential(Protocol):
    """What a backend wants to see; fetched for each attempt, cached behind this."""

    async def headers(self) -> Mapping[str, str]:
        """The headers that authenticate us.

        Raises:
            BackendFailed: No token could be had.
        """
        ...


class Deployment(msgspec.Struct, frozen=True, kw_only=True):
    """What stands behind an alias on one backend; it decides the price."""

    name: str
    model: str
    version: str | None
    deployment_type: Literal["standard", "provisioned", "batch", "developer"]
    scope: Literal["regional", "data_zone", "global"]


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
    def circuit(self) -> tuple[str, str]:
        """The key of its circuit breaker."""
        return (self.backend.name, self.deployment.name)


class Pool:
    """All backends.

    Args:
        backends: In any order.
        random: Gives numbers in [0, 1); the weights steer by it.
    """

    def __init__(self, backends: Iterable[Backend], random: Callable[[], float]) -> None:
        self._backends = sorted(backends, key=lambda backend: backend.priority)
        self._random = random

    def targets(self, alias: str) -> list[Target]:
        """The targets for an alias: by priority, and shuffled by weight where that is equal."""
        serving = [
            Target(backend, backend.deployments[alias])
            for backend in self._backends
            if alias in backend.deployments
        ]
        ordered: list[Target] = []
        for _, group in groupby(serving, key=lambda target: target.backend.priority):
            ordered += sorted(group, key=self._draw, reverse=True)
        return ordered

    def _draw(self, target: Target) -> float:
        """A weighted shuffle's key: the chance to come first is proportional to the weight.

        Efraimidis and Spirakis, "Weighted random sampling with a reservoir", 2006.
        """
        return self._random() ** (1 / target.backend.weight)
