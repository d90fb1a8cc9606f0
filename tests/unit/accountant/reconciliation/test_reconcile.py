from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from accounting import money_cell, sku, used
from reconciling import THE_15TH, compared, counts, ledger_reading, prompt, provider

from accountant.reconciliation.items import Item
from accountant.reconciliation.reconcile import SETTLES_IN, Reconciliation, Terms
from accountant.reconciliation.sides import Provided
from tollgate.ledger.cells import MoneyCell, Usage

REQUESTS = prompt(meter="requests")


def found(cells: list[MoneyCell], *sums: dict[Any, Provided], **changes: Any) -> Reconciliation:
    """These cells against these counts of Azure Monitor."""
    terms = changes.pop("terms", Terms(now=datetime(2026, 12, 1, tzinfo=UTC)))
    every = {key: each for some in sums for key, each in some.items()}
    side = provider(counts=every, **changes)
    return compared(ledger_reading(cells, side.source).side(), side, terms)


def statuses(reconciliation: Reconciliation) -> dict[str, str]:
    return {f"{each.day:%d} {each.item.meter}": each.status for each in reconciliation.lines}


def test_both_sides_agree() -> None:
    same = found([money_cell()], counts(1000), counts(1, item=REQUESTS))
    assert statuses(same) == {"15 prompt": "agrees", "15 requests": "agrees"}
    assert same.agrees


def test_what_only_one_side_has_is_a_line() -> None:
    other = prompt(backend="weu-2")
    one_sided = found([money_cell()], counts(1, item=REQUESTS), counts(5, item=other))
    assert [(each.item.backend, each.ledger, each.provider) for each in one_sided.lines] == [
        ("weu-1", 1000, None),
        ("weu-1", 1, 1),
        ("weu-2", None, 5),
    ]
    assert not one_sided.agrees


def test_a_deployment_that_the_ledger_never_saw_was_called_directly() -> None:
    direct = found([], counts(5, item=prompt(backend="weu-2")))
    assert statuses(direct) == {"15 prompt": "explained"}
    assert direct.strangers == ("weu-2",)


def test_a_deployment_seen_on_another_day_was_not() -> None:
    other = found([money_cell()], counts(5, date(2026, 10, 16)))
    assert statuses(other)["16 prompt"] == "unexplained"


def test_a_deployment_with_nothing_but_uncounted_requests_was_not() -> None:
    pending = money_cell(sku=sku(provenance="pending"), usage=Usage(1, {}))
    (line,) = (each for each in found([pending], counts(5)).lines if each.item.meter == "prompt")
    assert (line.causes, line.status) == ((), "unexplained")


def test_a_meter_that_is_not_understood_is_no_call_that_bypassed_the_gateway() -> None:
    def of(backend: str) -> Reconciliation:
        strange = Item(backend=backend, meter="gpt 9 Inp tkns")
        return found([money_cell()], counts(5, item=strange), source="invoice")

    assert statuses(of("weu-1"))["15 gpt 9 Inp tkns"] == "unexplained"
    assert statuses(of("weu-2"))["15 gpt 9 Inp tkns"] == "explained"


def test_what_the_gateway_logged_did_not_bypass_it() -> None:
    item = Item(deployment="gpt-4o-mini", meter="prompt")
    assert not found([], counts(5, item=item), source="log").agrees


def test_usage_that_moved_over_midnight_is_seen_from_both_days() -> None:
    late, next_day = money_cell(hour="2026-10-15T23"), counts(1000, date(2026, 10, 16))
    moved = found([late], next_day, silent=frozenset({"requests"}))
    assert statuses(moved) == {"15 prompt": "explained", "16 prompt": "explained"}
    noon = found([money_cell()], next_day, silent=frozenset({"requests"}))
    assert statuses(noon) == {"15 prompt": "unexplained", "16 prompt": "unexplained"}


def test_a_day_that_may_grow_takes_nothing_from_the_one_before() -> None:
    late, next_day = money_cell(hour="2026-10-15T23"), counts(1000, date(2026, 10, 16))
    terms = Terms(now=datetime(2026, 10, 16, 12, tzinfo=UTC))
    moved = found([late], next_day, silent=frozenset({"requests"}), terms=terms)
    assert statuses(moved) == {"15 prompt": "unexplained", "16 prompt": "unsettled"}


def test_a_meter_that_the_source_does_not_tell_is_not_compared() -> None:
    silent = found([money_cell()], counts(1000), silent=frozenset({"requests"}))
    assert statuses(silent) == {"15 prompt": "agrees"}
    assert silent.silent == ("requests",)


def test_failed_calls_alone_make_no_line() -> None:
    assert found([], counts(0, item=REQUESTS, blocked=3)).lines == ()


@pytest.mark.parametrize(("before", "status"), [(0, "unexplained"), (1, "unsettled")])
def test_a_day_settles_some_hours_after_it_is_over(before: int, status: str) -> None:
    now = datetime(2026, 10, 16, tzinfo=UTC) + SETTLES_IN["metrics"]
    terms = Terms(now=now - timedelta(microseconds=before))
    early = found([money_cell(hour="2026-10-01T00")], counts(5), terms=terms)
    assert statuses(early)["15 prompt"] == status
    assert early.settled_until == date(2026, 10, 16 - before)


def test_unsettled_days_do_not_count() -> None:
    terms = Terms(now=datetime(2026, 10, 15, 12, tzinfo=UTC))
    early = found([money_cell()], counts(5), terms=terms)
    assert (early.agrees, early.settled) == (True, [])


def test_the_average_is_of_the_month() -> None:
    cells = [money_cell(usage=used(900, 3)), money_cell(hour="2026-10-16T00", usage=used(101, 1))]
    pending = money_cell(sku=sku(provenance="unknown"), usage=Usage(1, {}))
    missing = found([*cells, pending], counts(1200), silent=frozenset({"requests"}))
    line = next(each for each in missing.lines if each.day == THE_15TH)
    assert [(cause.kind, cause.quantity) for cause in line.causes] == [("uncounted", 251)]
    assert line.unexplained == 49


def test_every_backend_of_the_ledger_is_named() -> None:
    cells = [money_cell(), money_cell(sku=sku(backend="weu-2")), money_cell(sku=sku(backend=None))]
    assert found(cells).backends == ("weu-1", "weu-2")
