from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollgate.proxy.sliding_window import SlidingWindow


def window(*admitted: tuple[int, float], limit: int = 100) -> SlidingWindow:
    made = SlidingWindow(limit, 60)
    for amount, at_s in admitted:
        made.admit(amount, at_s)
    return made


def test_what_is_admitted_is_missing_until_the_window_is_over() -> None:
    used = window((30, 1000), (20, 1030))
    assert used.left(1030) == 50
    assert used.left(1064.9) == 50
    assert used.left(1065) == 80
    assert used.left(1095) == 100


def test_it_may_be_overdrawn() -> None:
    assert window((130, 1000)).left(1001) == -30


def test_the_wait_is_until_enough_has_expired() -> None:
    used = window((60, 1000), (30, 1020))
    assert used.wait_s(10, 1030) == 0
    assert used.wait_s(11, 1030) == used.wait_s(70, 1030) == 35
    assert used.wait_s(71, 1030) == 55


def test_what_is_more_than_the_limit_waits_for_the_window() -> None:
    assert window((60, 1000)).wait_s(101, 1030) == window().wait_s(101, 1030) == 60


def test_of_both_counts_the_smaller_stands() -> None:
    used = window((60, 1000))
    used.told(90, 1001)
    assert used.left(1002) == 40
    used.told(10, 1003)
    assert used.left(1004) == 10
    used.admit(4, 1005)
    assert used.left(1006) == 6


@pytest.mark.parametrize(("valid_s", "until_s"), [(None, 60), (7, 7), (0, 60), (1000, 60)])
def test_what_the_backend_told_holds_until_it_counts_afresh(
    valid_s: float | None, until_s: float
) -> None:
    used = window()
    used.told(10, 1000, valid_s)
    assert (used.left(1000 + until_s - 0.1), used.wait_s(11, 1000)) == (10, until_s)
    assert (used.left(1000 + until_s), used.wait_s(11, 1000 + until_s)) == (100, 0)


@given(st.lists(st.tuples(st.integers(0, 50), st.floats(0, 40)), max_size=30))
def test_it_never_says_that_more_is_left_than_an_exact_count(
    steps: list[tuple[int, float]],
) -> None:
    used, now_s, admitted = SlidingWindow(100, 60), 1000.0, list[tuple[int, float]]()
    for amount, after_s in steps:
        now_s += after_s
        exact = 100 - sum(past for past, at_s in admitted if at_s > now_s - 60)
        longer = 100 - sum(past for past, at_s in admitted if at_s > now_s - 66)
        assert longer <= used.left(now_s) <= exact
        used.admit(amount, now_s)
        admitted.append((amount, now_s))


@given(st.lists(st.tuples(st.integers(1, 50), st.floats(0, 20)), max_size=20), st.integers(1, 100))
def test_after_the_wait_enough_is_left(steps: list[tuple[int, float]], needed: int) -> None:
    used, now_s = SlidingWindow(100, 60), 1000.0
    for amount, after_s in steps:
        now_s += after_s
        used.admit(amount, now_s)
    assert used.left(now_s + used.wait_s(needed, now_s) + 1e-6) >= needed
