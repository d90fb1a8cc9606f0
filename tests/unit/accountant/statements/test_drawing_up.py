from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from exporting import usage
from stating import CLOSED, REQUESTS, everything, facts, statement

from accountant.charges import Charge
from accountant.statements.drawing_up import by_tenant, drawn_up


def test_every_tenant_has_its_own_statement() -> None:
    charges = [*everything("a"), *everything("b")]
    found = list(drawn_up(facts({("a", "measured"): 1, ("b", "estimated"): 2}), charges))
    assert [each.tenant for each in found] == ["a", "b"]
    assert [each.report.requests for each in found] == [1, 2]
    assert {line.group[0] for line in found[0].report.lines} == {"a"}


def test_a_tenant_with_nothing_to_charge_has_a_statement_in_its_place() -> None:
    requests = {("a", "none"): 1, ("b", "measured"): 1, ("c", "none"): 1, ("d", "none"): 4}
    found = list(drawn_up(facts(requests), [usage(tenant="b"), usage(tenant="c")]))
    assert [each.tenant for each in found] == ["a", "b", "c", "d"]
    assert [each.report.requests for each in found] == [1, 1, 1, 4]
    assert found[3].report.total == 0


def test_requests_may_be_counted_while_the_charges_are_read() -> None:
    counting = facts()
    requests = counting.requests
    assert isinstance(requests, Counter)

    def read() -> Iterator[Charge]:
        for name in ("a", "b"):
            requests[name, "measured"] += 5
            yield usage(tenant=name)
        requests["c", "none"] += 1

    found = [(each.tenant, each.report.requests) for each in drawn_up(counting, read())]
    assert found == [("a", 5), ("b", 5), ("c", 1)]


def test_only_one_tenant_is_held_at_a_time() -> None:
    read: list[str] = []

    def charges() -> Iterator[Charge]:
        for name in ("a", "b", "c", "d"):
            read.append(name)
            yield usage(tenant=name)

    next(drawn_up(facts(), charges()))
    assert read == ["a", "b"]


def test_a_statement_tells_nothing_of_others() -> None:
    ((_, own, _),) = by_tenant(facts(REQUESTS, CLOSED), everything())
    assert own.edition.numbers == {"contoso": "2026-10-0001"}


def test_usage_is_known_by_day() -> None:
    days = [usage(start=date(2026, 10, day), end=date(2026, 10, day + 1)) for day in (3, 3, 20)]
    found = statement(days, facts())
    assert found.by_day == {
        (date(2026, 10, 3), "CC-1001", "gpt-4o-mini"): Decimal("0.0003"),
        (date(2026, 10, 20), "CC-1001", "gpt-4o-mini"): Decimal("0.00015"),
    }
    assert found.last_day == date(2026, 10, 20)


def test_what_is_owed_beside_usage_is_of_no_day() -> None:
    found = statement(everything()[4:], facts())
    assert (found.by_day, found.last_day) == ({}, None)
