from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from proxying import FakeClock, backend, deployment, target

from tollgate.proxy.demand import Demand
from tollgate.proxy.geography import Geography
from tollgate.proxy.latency import Latencies
from tollgate.proxy.pool import Backend, Limits, Pool

MINI = "gpt-4o-mini"
PROVISIONED = {MINI: deployment(deployment_type="provisioned")}


def pool(*backends: Backend, seed: int = 1, **options: Any) -> Pool:
    return Pool(backends, Random(seed).random, **options)  # noqa: S311  shares, not secrets


def order(made: Pool, alias: str = MINI, **demand: Any) -> list[str]:
    targets = made.targets(Demand(alias=alias, **demand))
    return [target.backend.name for target in targets]


def test_the_lowest_priority_number_comes_first() -> None:
    made = pool(backend("c", priority=3), backend("a", priority=1), backend("b", priority=2))
    assert order(made) == ["a", "b", "c"]


def test_equal_priorities_share_by_weight() -> None:
    made = pool(backend("heavy", weight=75), backend("light", weight=25))
    first = Counter(order(made)[0] for _ in range(1000))
    assert 700 < first["heavy"] < 800


@given(st.lists(st.integers(1, 100), min_size=2, max_size=5), st.integers())
def test_weights_are_honoured_over_many_draws(weights: list[int], seed: int) -> None:
    made = pool(*(backend(f"{n}", weight=w) for n, w in enumerate(weights)), seed=seed)
    draws = 2000
    first = Counter(order(made)[0] for _ in range(draws))
    for place, weight in enumerate(weights):
        share = weight / sum(weights)
        deviation = (draws * share * (1 - share)) ** 0.5
        assert abs(first[f"{place}"] - draws * share) < 6 * deviation + 1


def test_every_target_of_a_group_is_there_once() -> None:
    made = pool(*(backend(name, weight=place) for place, name in enumerate("abcd", 1)))
    assert all(sorted(order(made)) == list("abcd") for _ in range(20))


def test_provisioned_capacity_comes_before_what_is_paid_by_use() -> None:
    by_use, paid = backend("by-use", weight=1000), backend("paid", deployments=PROVISIONED)
    assert order(pool(by_use, paid)) == ["paid", "by-use"]


def test_a_priority_counts_before_provisioned_capacity() -> None:
    second = backend("second", priority=2, deployments=PROVISIONED)
    assert order(pool(second, backend("first"))) == ["first", "second"]


def test_only_backends_that_serve_the_alias_are_asked() -> None:
    made = pool(backend("weu-1"), backend("other", deployments={"gpt-4o": deployment(name="o")}))
    assert order(made) == ["weu-1"]
    assert order(made, "unknown") == []


def test_an_alias_alone_is_a_plain_demand() -> None:
    (found,) = pool(backend("weu-1")).targets(MINI)
    assert found.circuit == ("weu-1", "mini")


def test_a_session_stays_with_its_backend() -> None:
    made = pool(backend("a"), backend("b", priority=2))
    assert order(made, backend="b") == ["b"]
    assert order(made, backend="gone") == []


class TestGeography:
    made = pool(
        backend("weu", region="westeurope", weight=10**9),
        backend("gwc", region="germanywestcentral"),
        backend("chn", region="switzerlandnorth"),
        geography=Geography(None, {"CH": ("switzerlandnorth", "germanywestcentral")}),
    )

    def test_the_nearest_comes_first(self) -> None:
        assert order(self.made, client_region="CH") == ["chn", "gwc", "weu"]
        assert order(self.made, client_region="Germany West Central")[0] == "gwc"

    @pytest.mark.parametrize("region", [None, "atlantis", ""])
    def test_an_unknown_region_prefers_nothing(self, region: str | None) -> None:
        firsts = {order(self.made, client_region=region)[0] for _ in range(50)}
        assert firsts == {"weu"}

    def test_an_unknown_alias_has_no_targets(self) -> None:
        assert order(self.made, "unknown", client_region="CH") == []

    def test_a_priority_counts_before_what_is_near(self) -> None:
        near = backend("near", region="westeurope", priority=2)
        made = pool(near, backend("far", region="eastus"), geography=Geography(None, {}))
        assert order(made, client_region="westeurope") == ["far", "near"]


def test_the_fastest_of_what_is_equal_otherwise_comes_first() -> None:
    latencies = Latencies(FakeClock().steady_s)
    for name, seconds in (("a", 2.0), ("b", 1.0), ("c", 0.1)):
        latencies.observe(target(name).circuit, "first_frame", seconds)
    made = pool(
        backend("a", weight=1000), backend("b"), backend("c", priority=2), latencies=latencies
    )
    assert order(made, kind="first_frame") == ["b", "a", "c"]


def test_of_two_aliases_of_a_deployment_the_strictest_limits_count() -> None:
    limited = {
        MINI: deployment(limits=Limits(tokens_per_minute=1000, kept_tokens=10)),
        "mini-too": deployment(limits=Limits(tokens_per_minute=500, requests_per_10s=5)),
        "unlimited": deployment(name="other"),
    }
    assert pool(backend("weu-1", deployments=limited)).limits == {
        ("weu-1", "mini"): Limits(tokens_per_minute=500, requests_per_10s=5, kept_tokens=10)
    }
