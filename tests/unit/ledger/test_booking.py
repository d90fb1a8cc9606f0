"""From an event to its booking."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from ledgers import completion, measured, pending

from tollgate.ledger.booking import book
from tollgate.usage.sku import sku_of
from tollgate.usage.tokens import NO_TOKENS, Tokens


def test_a_booking_names_payer_place_and_sku() -> None:
    event = measured(time=datetime(2026, 10, 31, 23, 59, 59, 999_000, tzinfo=UTC))
    booking = book(event)
    assert (booking.tenant, booking.billing_code, booking.user) == ("contoso", "CC-1001", "alice")
    assert (booking.hour, booking.day) == ("2026-10-31T23", "2026-10-31")
    assert booking.sku == sku_of(event.event.data)


def test_a_booking_is_recognised_by_the_digests_of_its_event() -> None:
    booking = book(measured())
    assert (booking.key, booking.body, booking.raw) == (
        measured().key,
        measured().body,
        measured().raw,
    )
    assert (len(booking.key), len(booking.body)) == (16, 8)


def test_counts_are_leaves_and_units_without_zeros() -> None:
    tokens = Tokens(input=10, cached_input=10, output=3)
    booking = book(measured(tokens=tokens, units={"images": 2, "characters": 0}))
    assert booking.counts == {"cached_input": 10, "output": 3, "images": 2}


def test_what_is_not_known_has_no_counts() -> None:
    assert book(pending()).counts == {}
    assert book(measured(provenance="none", tokens=NO_TOKENS)).counts == {}


@pytest.mark.parametrize("provenance", ["pending", "unknown", "estimated"])
def test_what_is_not_final_can_be_completed(provenance: str) -> None:
    tokens = NO_TOKENS if provenance == "estimated" else None
    assert book(pending(provenance=provenance, tokens=tokens)).completable


@pytest.mark.parametrize("provenance", ["measured", "injected", "backfilled"])
def test_what_is_final_cannot(provenance: str) -> None:
    booking = book(measured(provenance=provenance))
    assert (booking.completable, booking.completes) == (False, False)


def test_an_estimated_completion_cannot_be_completed_itself() -> None:
    booking = book(completion(provenance="estimated"))
    assert (booking.completable, booking.completes) == (False, True)
