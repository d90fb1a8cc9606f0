"""Laws of a circuit, whatever requests come back in whatever order."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tollgate.proxy.breaker import ORDINARY, REFUSED, BreakerRules, Breakers, Circuit, Failure

A: Circuit = ("weu-1", "mini")
LONG_S = 1000.0
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("enter"), st.none()),
        st.tuples(st.just("tick"), st.sampled_from([1.0, 5.0, 10.0])),
        st.tuples(st.just("learn"), st.sampled_from([0.0, 3.0, 12.0])),
        st.tuples(st.sampled_from(["unlearn", "probe early"]), st.none()),
        st.tuples(
            st.sampled_from(["succeed", "abandon", "throttle", "fail", "doubt"]),
            st.integers(0, 5),
        ),
    ),
    max_size=40,
)


class Played:
    """A circuit, who is under way there, and when it was opened last."""

    def __init__(self) -> None:
        self.breakers = Breakers(BreakerRules(failures=2))
        self.breakers.observer = self
        self.now_s, self.step = 100.0, 0
        self.opened_at = self.closed_at = -1
        self.under_way: list[tuple[int, int]] = []  # the step at which it entered, its ticket

    def opened(self, circuit: Circuit, until_s: float, *, throttled: bool) -> None:
        del circuit, until_s, throttled
        self.opened_at = self.step

    def closed(self, circuit: Circuit) -> None:
        del circuit
        self.closed_at = self.step

    def take(self, what: str, detail: Any) -> None:
        self.step += 1
        if what == "enter":
            self.note(self.breakers.enter(A, self.now_s))
        elif what == "probe early":
            self.note(self.breakers.probe_early(A))
        elif what == "tick":
            self.now_s += detail
        elif what == "learn":
            self.breakers.learn(A, self.now_s, detail, throttled=True)
        elif what == "unlearn":
            self.breakers.unlearn(A)
        elif detail < len(self.under_way):
            self.end(what, *self.under_way.pop(detail))

    def note(self, ticket: int) -> None:
        if ticket != REFUSED:
            self.under_way.append((self.step, ticket))

    def end(self, how: str, entered_at: int, ticket: int) -> None:
        before = self.opened_at
        if how == "succeed":
            self.breakers.succeeded(A, ticket)
        elif how == "abandon":
            self.breakers.abandoned(A, ticket)
        else:
            told = Failure(throttled=how == "throttle", certain=how != "doubt")
            self.breakers.failed(A, self.now_s, told, ticket)
        if self.closed_at == self.step:
            assert how == "succeed"
            assert ticket != ORDINARY
            assert entered_at > before, "it was sent before the circuit opened"


@given(STEPS)
def test_only_who_was_sent_after_a_circuit_opened_closes_it(steps: list[tuple[str, Any]]) -> None:
    played = Played()
    for step in steps:
        played.take(*step)


@given(STEPS)
def test_when_all_are_back_and_the_time_is_over_one_may_enter(
    steps: list[tuple[str, Any]],
) -> None:
    played = Played()
    for step in steps:
        played.take(*step)
    for entered_at, ticket in played.under_way:
        played.end("abandon", entered_at, ticket)
    played.now_s += LONG_S
    ticket = played.breakers.enter(A, played.now_s)
    assert ticket != REFUSED
    if ticket != ORDINARY:
        assert played.breakers.enter(A, played.now_s) == REFUSED
        played.breakers.succeeded(A, ticket)
    assert played.breakers.enter(A, played.now_s) == ORDINARY


@given(STEPS)
def test_of_requests_that_waited_their_time_one_probes_at_once(
    steps: list[tuple[str, Any]],
) -> None:
    played = Played()
    for what, detail in steps:
        if what == "probe early":
            continue
        played.take(what, detail)
        last = max((ticket for _, ticket in played.under_way), default=ORDINARY)
        if last != ORDINARY:
            assert [ticket for _, ticket in played.under_way].count(last) == 1
