from __future__ import annotations

from typing import Any

import pytest

from tollgate.proxy.breaker import ORDINARY, REFUSED, BreakerRules, Breakers, Circuit, Failure

A, B = ("weu-1", "mini"), ("weu-1", "gpt-4o")


def opened(at_s: float = 100, retry_after_s: float | None = None, **rules: Any) -> Breakers:
    breakers = Breakers(BreakerRules(**rules))
    breakers.failed(A, at_s, Failure(retry_after_s=retry_after_s))
    return breakers


def both(breakers: Breakers, at_s: float) -> list[bool]:
    """Whether two requests that come at the same time may go."""
    return [breakers.enter(A, at_s) != REFUSED for _ in range(2)]


def test_a_new_circuit_lets_everything_through() -> None:
    breakers = Breakers(BreakerRules())
    assert both(breakers, 0) == [True, True]
    assert breakers.wait_s(A, 0) == 0


def test_a_failure_opens_the_circuit_for_its_time() -> None:
    breakers = opened(100)
    assert not breakers.enter(A, 109.9)
    assert breakers.wait_s(A, 104) == 6
    assert breakers.enter(A, 110)


def test_a_circuit_says_nothing_of_another_deployment() -> None:
    assert opened().enter(B, 100)


@pytest.mark.parametrize(
    ("asked_s", "rules", "open_s"),
    [
        (3, {}, 3),
        (0, {}, 0),
        (86_400, {}, 120),
        (3, {"honour_retry_after": False}, 10),
        (None, {"open_s": 5}, 5),
    ],
)
def test_retry_after_is_honoured_within_a_bound(
    asked_s: float | None, rules: dict[str, Any], open_s: float
) -> None:
    breakers = opened(100, asked_s, **rules)
    assert breakers.wait_s(A, 100) == open_s
    assert breakers.enter(A, 100 + open_s)


def test_it_takes_so_many_failures_within_the_window() -> None:
    breakers = opened(100, failures=2)
    breakers.failed(A, 111)
    assert breakers.enter(A, 111)
    breakers.failed(A, 112)
    assert not breakers.enter(A, 112)


def test_a_late_failure_never_shortens_the_wait() -> None:
    breakers = opened(100, 60)
    breakers.failed(A, 101, Failure(retry_after_s=1))
    assert breakers.wait_s(A, 101) == 59


def test_one_probe_goes_through_when_the_time_is_over() -> None:
    breakers = opened()
    assert both(breakers, 110) == [True, False]


def test_who_comes_during_a_probe_is_told_to_wait() -> None:
    breakers = opened()
    breakers.enter(A, 110)
    assert breakers.wait_s(A, 110) == 1


def test_a_probe_that_comes_back_closes_the_circuit() -> None:
    breakers = opened()
    breakers.succeeded(A, breakers.enter(A, 110))
    assert both(breakers, 110) == [True, True]


def test_a_probe_that_fails_opens_it_again() -> None:
    breakers = opened(failures=3)
    for _ in range(2):
        breakers.failed(A, 100)
    breakers.failed(A, 110, ticket=breakers.enter(A, 110))
    assert not breakers.enter(A, 119)
    assert breakers.enter(A, 120)


def test_a_probe_that_is_abandoned_makes_room_for_the_next() -> None:
    breakers = opened()
    breakers.abandoned(A, breakers.enter(A, 110))
    assert breakers.enter(A, 110)


def test_an_older_request_that_succeeds_leaves_an_open_circuit_open() -> None:
    breakers = opened()
    breakers.succeeded(A, ORDINARY)
    assert not breakers.enter(A, 101)


def test_only_the_probe_tells_how_a_probe_has_ended() -> None:
    breakers = opened(failures=3)
    older = breakers.enter(A, 100)
    for _ in range(2):
        breakers.failed(A, 100)
    probe = breakers.enter(A, 110)
    breakers.succeeded(A, older)
    breakers.abandoned(A, older)
    breakers.failed(A, 111, Failure(certain=False), older)
    assert (breakers.enter(A, 111), breakers.wait_s(A, 111)) == (REFUSED, 1)
    breakers.succeeded(A, probe)
    assert both(breakers, 111) == [True, True]


def test_a_probe_of_before_says_nothing_of_a_circuit_that_was_opened_anew() -> None:
    breakers = opened()
    older, probe = breakers.enter(B, 100), breakers.enter(A, 110)
    breakers.failed(A, 111, Failure(throttled=True, retry_after_s=20), older)
    breakers.succeeded(A, probe)
    assert breakers.wait_s(A, 111) == 20
    assert both(breakers, 131) == [True, False]
    breakers.abandoned(A, probe)
    assert breakers.enter(A, 131) == REFUSED


def test_of_several_early_probes_the_first_that_comes_back_closes_the_circuit() -> None:
    breakers = opened()
    first, second = breakers.probe_early(A), breakers.probe_early(A)
    breakers.succeeded(A, first)
    assert both(breakers, 101) == [True, True]
    breakers.failed(A, 102)
    breakers.succeeded(A, second)
    assert breakers.enter(A, 102) == REFUSED


def test_a_circuit_that_has_closed_meanwhile_has_no_early_probe() -> None:
    breakers = Breakers(BreakerRules())
    assert breakers.probe_early(A) == breakers.enter(A, 0)


def test_an_outcome_without_a_circuit_changes_nothing() -> None:
    breakers = Breakers(BreakerRules())
    breakers.succeeded(A, ORDINARY)
    breakers.abandoned(A, ORDINARY)
    assert breakers.enter(A, 0)


def test_one_silence_closes_a_region_to_nobody_and_three_do() -> None:
    breakers = Breakers(BreakerRules())
    silence = Failure(certain=False)
    breakers.failed(A, 100, silence)
    breakers.failed(A, 101, silence)
    assert breakers.enter(A, 102)
    breakers.failed(A, 102, silence)
    assert not breakers.enter(A, 103)


def test_it_is_known_whether_a_circuit_is_open_for_want_of_capacity() -> None:
    breakers = Breakers(BreakerRules())
    breakers.failed(A, 100, Failure(throttled=True))
    assert breakers.is_throttled(A, 101)
    assert not breakers.is_throttled(A, 111)
    breakers.failed(A, 111, Failure())
    assert not breakers.is_throttled(A, 112)


class Observer:
    def __init__(self) -> None:
        self.seen: list[object] = []

    def opened(self, circuit: Circuit, until_s: float, *, throttled: bool) -> None:
        self.seen.append((circuit, until_s, throttled))

    def closed(self, circuit: Circuit) -> None:
        self.seen.append(circuit)


def test_an_observer_is_told_what_opens_and_what_closes() -> None:
    breakers, observer = Breakers(BreakerRules(failures=2)), Observer()
    breakers.observer = observer
    breakers.failed(A, 100)
    breakers.succeeded(A, ORDINARY)
    assert observer.seen == []
    breakers.failed(A, 100, Failure(throttled=True))
    breakers.succeeded(A, breakers.enter(A, 110))
    assert observer.seen == [(A, 110, True), A]


def learnt(wait_s: float = 5, **rules: Any) -> Breakers:
    breakers = Breakers(BreakerRules(**rules))
    breakers.learn(A, 100, wait_s, throttled=True)
    return breakers


def test_a_circuit_that_others_have_opened_is_open_and_then_probed() -> None:
    breakers = learnt()
    assert (breakers.enter(A, 104), breakers.wait_s(A, 104)) == (REFUSED, 1)
    assert breakers.is_throttled(A, 104)
    assert both(breakers, 105) == [True, False]


def test_what_others_have_opened_is_not_told_to_an_observer() -> None:
    breakers, observer = Breakers(BreakerRules()), Observer()
    breakers.observer = observer
    breakers.learn(A, 100, 5, throttled=False)
    breakers.unlearn(A)
    assert observer.seen == []


def test_a_probe_of_before_says_nothing_of_what_others_have_opened_anew() -> None:
    breakers = learnt()
    probe = breakers.enter(A, 105)
    breakers.learn(A, 106, 5, throttled=True)
    breakers.succeeded(A, probe)
    assert breakers.wait_s(A, 106) == 5
    breakers.succeeded(A, breakers.enter(A, 111))
    assert both(breakers, 111) == [True, True]


def test_a_circuit_that_others_have_closed_is_closed() -> None:
    breakers = learnt()
    breakers.unlearn(A)
    assert both(breakers, 101) == [True, True]


def test_what_others_close_stays_open_for_what_was_seen_here() -> None:
    breakers = opened(100)
    breakers.learn(A, 100, 50, throttled=False)
    assert breakers.wait_s(A, 100) == 50
    breakers.unlearn(A)
    assert breakers.wait_s(A, 100) == 10


def test_failures_that_were_counted_here_outlive_what_others_say() -> None:
    breakers = Breakers(BreakerRules(failures=2))
    breakers.failed(A, 100)
    breakers.learn(A, 100, 1, throttled=False)
    breakers.unlearn(A)
    assert breakers.enter(A, 101)
    breakers.failed(A, 101)
    assert not breakers.enter(A, 102)


def test_what_others_say_is_bounded_as_a_backend_is() -> None:
    assert learnt(86_400).wait_s(A, 100) == 120
    assert learnt(86_400, max_retry_after_s=5).wait_s(A, 100) == 10


def test_an_old_word_of_others_opens_nothing() -> None:
    assert learnt(0).enter(A, 100)


def test_nothing_is_unlearnt_of_an_unknown_circuit() -> None:
    breakers = Breakers(BreakerRules())
    breakers.unlearn(A)
    assert breakers.enter(A, 0)


def test_another_failure_does_not_cut_a_throttle_short() -> None:
    breakers = Breakers(BreakerRules())
    breakers.failed(("weu-1", "mini"), 0, Failure(throttled=True, retry_after_s=60))
    breakers.failed(("weu-1", "mini"), 1)
    assert breakers.is_throttled(("weu-1", "mini"), 59)
