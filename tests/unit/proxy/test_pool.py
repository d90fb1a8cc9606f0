from __future__ import annotations

from collections import Counter
from random import Random

from proxying import backend, deployment

from tollgate.proxy.pool import Backend, Pool


def order(*backends: Backend, seed: int = 1, alias: str = "gpt-4o-mini") -> list[str]:
    pool = Pool(backends, Random(seed).random)  # noqa: S311  shares of load, not secrets
    return [target.backend.name for target in pool.targets(alias)]


def test_the_lowest_priority_number_comes_first() -> None:
    backends = (backend("c", priority=3), backend("a", priority=1), backend("b", priority=2))
    assert order(*backends) == ["a", "b", "c"]


def test_equal_priorities_share_by_weight() -> None:
    heavy, light = backend("heavy", weight=75), backend("light", weight=25)
    first = Counter(order(heavy, light, seed=seed)[0] for seed in range(1000))
    assert 700 < first["heavy"] < 800


def test_only_backends_that_serve_the_alias_are_asked() -> None:
    other = backend("other", deployments={"gpt-4o": deployment(name="o")})
    assert order(backend("weu-1"), other) == ["weu-1"]
    assert order(other, alias="unknown") == []


def test_a_circuit_is_that_of_a_deployment_at_a_backend() -> None:
    (target,) = Pool([backend("weu-1")], lambda: 0.0).targets("gpt-4o-mini")
    assert target.circuit == ("weu-1", "mini")
