from __future__ import annotations

from typing import Any

from reconciling import prompt

from accountant.reconciliation.causes import WORDS, Evidence, causes_of
from accountant.reconciliation.sides import Booked, Provided

REQUESTS = prompt(meter="requests")
COMPLETION = prompt(meter="completion")


def causes(
    provider: int | Provided | None, ledger: int | Booked | None, **known: Any
) -> tuple[dict[str, int], int]:
    """What explains the difference, and what is left."""
    provided = Provided(quantity=provider) if isinstance(provider, int) else provider
    booked = Booked(quantity=ledger) if isinstance(ledger, int) else ledger
    made: dict[str, Any] = {"item": prompt(), "provided": provided, "booked": booked, **known}
    found, rest = causes_of(Evidence(**made))
    return {cause.kind: cause.quantity for cause in found}, rest


def test_what_agrees_has_no_cause() -> None:
    assert causes(7, 7) == ({}, 0)


def test_a_difference_without_a_cause_is_unexplained() -> None:
    assert causes(9, 7) == ({}, 2)
    assert causes(None, 7) == ({}, -7)
    assert causes(9, None) == ({}, 9)


def test_calls_that_bypassed_the_gateway_are_all_that_the_provider_has() -> None:
    assert causes(9, None, is_direct=True) == ({"direct": 9}, 0)


def test_what_moved_over_midnight_is_explained_first() -> None:
    assert causes(9, 7, shifted=2, uncounted=1, per_request=9) == ({"time_shift": 2}, 0)


def test_an_uncounted_request_used_what_others_did_on_average() -> None:
    assert causes(100, 70, uncounted=2, per_request=10) == ({"uncounted": 20}, 10)
    assert causes(100, 70, uncounted=2, per_request=99) == ({"uncounted": 30}, 0)


def test_an_uncounted_request_of_unknown_size_explains_nothing() -> None:
    assert causes(100, None, uncounted=2) == ({}, 100)
    assert causes(9_000_000, None, item=prompt(meter="cached_input"), uncounted=1) == (
        {},
        9_000_000,
    )


def test_an_uncounted_request_does_not_explain_that_the_ledger_has_more() -> None:
    assert causes(70, 100, uncounted=2, per_request=99) == ({}, -30)


def test_an_estimate_is_off_by_no_more_than_itself() -> None:
    booked = Booked(quantity=100, estimated=10)
    assert causes(105, booked) == ({"estimated": 5}, 0)
    assert causes(88, booked) == ({"estimated": -10}, -2)


def test_a_call_answered_400_was_billed_its_prompt_alone() -> None:
    provided = Provided(quantity=100, blocked=2)
    assert causes(provided, 70, per_request=10) == ({"blocked_prompts": 20}, 10)
    leaf = prompt(meter="input")
    assert causes(provided, 70, per_request=10, item=leaf) == ({"blocked_prompts": 20}, 10)
    assert causes(provided, 70, per_request=10, item=COMPLETION) == ({}, 30)


def test_a_blocked_prompt_of_unknown_length_explains_nothing() -> None:
    assert causes(Provided(quantity=100, blocked=2), 70) == ({}, 30)


def test_azure_monitor_may_count_audio_apart() -> None:
    booked = Booked(quantity=100, audio=30)
    assert causes(70, booked) == ({"audio": -30}, 0)
    assert causes(130, booked) == ({}, 30)
    assert causes(70, booked, item=COMPLETION) == ({}, -30)


def test_digits_that_the_invoice_lacks_are_rounding() -> None:
    assert causes(Provided(quantity=105, rounding=5), 100) == ({"rounding": 5}, 0)
    assert causes(Provided(quantity=94, rounding=5), 100) == ({"rounding": -5}, -1)


def test_of_requests_the_provider_counts_those_that_it_answered() -> None:
    provided = Provided(quantity=5, blocked=1, broken=2)
    known: dict[str, Any] = {"item": REQUESTS, "estimated": 2, "uncounted": 3}
    assert causes(provided, 10, **known) == (
        {"blocked_prompts": -1, "broken_streams": -2, "uncounted": -2},
        0,
    )


def test_requests_that_the_ledger_lacks_are_unexplained() -> None:
    provided = Provided(quantity=5, blocked=1, broken=2)
    assert causes(provided, 4, item=REQUESTS, estimated=2, uncounted=3) == ({}, 1)


def test_a_failed_call_explains_no_request_that_the_ledger_measured() -> None:
    provided = Provided(quantity=5, blocked=9, broken=9)
    assert causes(provided, 6, item=REQUESTS) == ({}, -1)


def test_every_cause_has_words() -> None:
    assert all(WORDS.values())
