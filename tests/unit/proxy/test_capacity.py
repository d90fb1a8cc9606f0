from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollgate.proxy.capacity import Capacities, Capacity, Remaining, Shortage
from tollgate.proxy.demand import Demand
from tollgate.proxy.lanes import Lane
from tollgate.proxy.pool import Limits

LIMITS = Limits(tokens_per_minute=1000, requests_per_10s=10, kept_tokens=300, kept_requests=3)
A = ("weu-1", "mini")


def demand(lane: Lane, tokens: int = 100) -> Demand:
    return Demand(alias="gpt-4o-mini", lane=lane, tokens=tokens)


def told(**headers: str) -> tuple[tuple[str, str], ...]:
    return tuple((f"x-ratelimit-{name.replace('_', '-')}", text) for name, text in headers.items())


def test_a_low_request_enters_while_it_leaves_what_is_kept() -> None:
    capacity = Capacity(LIMITS)
    capacity.admit(600, 1000)
    assert capacity.shortage(100, 1000) is None
    assert capacity.shortage(101, 1000) == Shortage("tokens", 65)


def test_requests_are_kept_as_tokens_are() -> None:
    capacity = Capacity(LIMITS)
    for _ in range(7):
        capacity.admit(0, 1000)
    shortage = capacity.shortage(0, 1000)
    assert shortage is not None
    assert shortage.what == "requests"
    assert 10 <= shortage.wait_s <= 10.84


def test_of_two_shortages_the_longer_one_is_told() -> None:
    capacity = Capacity(LIMITS)
    for _ in range(10):
        capacity.admit(100, 1000)
    assert capacity.shortage(100, 1000) == Shortage("tokens", 65)


def test_where_nothing_is_kept_the_backend_decides() -> None:
    capacity = Capacity(Limits(tokens_per_minute=1000))
    capacity.admit(5000, 1000)
    assert capacity.shortage(100, 1000) is None


def test_what_other_instances_use_counts_when_answers_tell_it() -> None:
    capacity = Capacity(LIMITS)
    capacity.told(told(remaining_tokens="350", reset_tokens="20s"), 1000)
    assert capacity.shortage(100, 1001) == Shortage("tokens", 19)
    assert capacity.shortage(100, 1020) is None


@pytest.mark.parametrize("text", ["-1", "", "many", "1e3", "9" * 13, "²"])
def test_a_count_that_is_none_is_not_taken_over(text: str) -> None:
    capacity = Capacity(LIMITS)
    capacity.told(told(remaining_tokens=text), 1000)
    assert capacity.remaining(1000) == Remaining(tokens=1000, requests=10)


def test_what_remains_is_told_and_never_below_nothing() -> None:
    capacity = Capacity(Limits(tokens_per_minute=1000))
    capacity.admit(400, 1000)
    assert capacity.remaining(1000) == Remaining(tokens=600, requests=None)
    capacity.admit(900, 1000)
    assert capacity.remaining(1000) == Remaining(tokens=0, requests=None)


def test_a_circuit_without_limits_takes_whatever_comes() -> None:
    capacities = Capacities({})
    capacities.admit(A, 10**9, 1000)
    capacities.told(A, told(remaining_tokens="0"), 1000)
    assert capacities.shortage(A, demand("low"), 1000) is None
    assert capacities.remaining(A, 1000) is None


def test_each_circuit_has_a_capacity_of_its_own() -> None:
    capacities = Capacities({A: LIMITS, ("neu-1", "mini"): LIMITS})
    capacities.admit(A, 900, 1000)
    assert capacities.shortage(A, demand("low"), 1000)
    assert capacities.shortage(("neu-1", "mini"), demand("low"), 1000) is None


def test_new_limits_forget_only_what_was_counted_under_others() -> None:
    b = ("neu-1", "mini")
    capacities = Capacities({A: LIMITS, b: LIMITS})
    for circuit in (A, b):
        capacities.admit(circuit, 900, 1000)
    capacities.change({A: LIMITS, b: Limits(tokens_per_minute=50)})
    assert capacities.remaining(A, 1000) == Remaining(tokens=100, requests=9)
    assert capacities.remaining(b, 1000) == Remaining(tokens=50, requests=None)
    capacities.change({})
    assert capacities.remaining(A, 1000) is None


lanes = st.sampled_from(["high", "low"])
arrivals = st.lists(st.tuples(lanes, st.integers(0, 400), st.floats(0, 15)), max_size=60)


@given(arrivals)
def test_low_never_leaves_less_than_what_is_kept_and_high_is_never_refused(
    steps: list[tuple[Lane, int, float]],
) -> None:
    capacities, now_s = Capacities({A: LIMITS}), 1000.0
    admitted: list[tuple[int, float]] = []
    for lane, tokens, after_s in steps:
        now_s += after_s
        shortage = capacities.shortage(A, demand(lane, tokens), now_s)
        if lane == "high":
            assert shortage is None
        if shortage:
            continue
        capacities.admit(A, tokens, now_s)
        admitted.append((tokens, now_s))
        if lane == "low":
            assert 1000 - sum(used for used, at_s in admitted if at_s > now_s - 60) >= 300
            assert 10 - sum(at_s > now_s - 10 for _, at_s in admitted) >= 3
