from __future__ import annotations

from collections import Counter

from proxying import FakeClock, target

from tollgate.proxy.latency import Kind, Latencies
from tollgate.proxy.pool import Target

A, B, C = target("a"), target("b"), target("c")


class Watched:
    """Latencies under a clock that the test moves."""

    def __init__(self, **known: float) -> None:
        self.clock = FakeClock()
        self.latencies = Latencies(self.clock.steady_s)
        for name, seconds in known.items():
            self.observe(name, seconds)

    def observe(self, name: str, seconds: float, kind: Kind = "whole") -> None:
        self.latencies.observe(target(name).circuit, kind, seconds)

    def order(self, *targets: Target, kind: Kind = "whole") -> str:
        return "".join(each.backend.name for each in self.latencies.order(targets, kind))


def test_the_fastest_comes_first_and_the_others_by_latency() -> None:
    assert Watched(a=3.0, b=2.0, c=1.0).order(A, B, C) == "cba"


def test_who_is_nearly_as_fast_as_the_best_stays_in_the_order_of_the_weights() -> None:
    watched = Watched(a=1.25, b=1.0, c=1.26)
    assert (watched.order(A, B, C), watched.order(B, C, A)) == ("abc", "bac")


def test_a_target_that_has_never_answered_is_given_one_request_at_a_time() -> None:
    watched = Watched(a=1.0, b=2.0)
    assert watched.order(A, B, C) == "cab"
    assert watched.order(B, A, C) == "acb"
    watched.observe("c", 9.0)
    assert watched.order(A, B, C) == "abc"


def test_at_the_beginning_each_is_looked_at_once_and_then_the_weights_decide() -> None:
    watched = Watched()
    assert [watched.order(B, A), watched.order(B, A), watched.order(B, A)] == ["ba", "ab", "ba"]


def test_a_look_that_tells_nothing_is_repeated_after_a_while() -> None:
    watched = Watched(a=1.0)
    assert [watched.order(A, B), watched.order(A, B)] == ["ba", "ab"]
    watched.clock.s += 10
    assert watched.order(A, B) == "ba"


def test_an_answer_after_a_long_silence_counts_alone() -> None:
    watched = Watched(a=1.0, b=9.0)
    watched.clock.s += 30
    watched.observe("a", 5.0)
    watched.observe("b", 1.0)
    assert watched.order(A, B) == "ba"


def test_one_slow_answer_does_not_turn_the_order() -> None:
    watched = Watched(a=1.0, b=2.0)
    watched.observe("a", 2.5)
    assert watched.order(B, A) == "ab"


def test_first_frames_and_whole_answers_are_kept_apart() -> None:
    watched = Watched(a=1.0, b=2.0)
    for name, seconds in (("a", 0.4), ("b", 0.1)):
        watched.observe(name, seconds, "first_frame")
    assert watched.order(A, B, kind="whole") == "ab"
    assert watched.order(A, B, kind="first_frame") == "ba"


def test_a_swap_of_latencies_is_noticed_within_a_minute() -> None:
    watched, seconds = Watched(), {"a": 1.0, "b": 10.0}

    def serve(requests: int) -> Counter[str]:
        asked: Counter[str] = Counter()
        for _ in range(requests):
            first = watched.order(A, B)[0]
            asked[first] += 1
            watched.clock.s += seconds[first]
            watched.observe(first, seconds[first])
        return asked

    assert serve(100)["a"] >= 95
    seconds.update(a=10.0, b=1.0)
    swapped_s = watched.clock.s
    while watched.order(A, B)[0] != "b":
        serve(1)
    assert watched.clock.s - swapped_s <= 60
    assert serve(100)["b"] >= 90
