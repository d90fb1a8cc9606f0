from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from accounting import sku
from closed_months import (
    NOVEMBER,
    OCTOBER,
    SEPTEMBER,
    CellLedger,
    cell,
    close_month,
    close_waiving,
    draft,
    pending,
)

from accountant.closing.blockers import Blocker
from accountant.closing.books import Books
from accountant.closing.close import check_order, month_before
from accountant.closing.waivers import StatedWaiver
from accountant.errors import CloseRefused
from tollgate.ledger.cells import MoneyCell
from tollgate.usage.periods import Month


@pytest.fixture
def ledger() -> CellLedger:
    return CellLedger([cell("2026-09-10"), cell("2026-09-11", tenant="a"), cell("2026-10-10")])


@pytest.fixture
def books(tmp_path: Path) -> Path:
    return tmp_path / "books"


def refused(ledger: CellLedger, books: Path, month: Month, **asked: Any) -> CloseRefused:
    with pytest.raises(CloseRefused) as caught:
        close_month(ledger, books, month, **asked)
    return caught.value


def test_a_closed_month_is_what_was_drafted(ledger: CellLedger, books: Path) -> None:
    drafted = list(draft(ledger, SEPTEMBER).read())
    outcome = close_month(ledger, books, SEPTEMBER)
    assert outcome
    assert outcome.is_ours
    [sealed] = Books(books).sealed
    assert list(Books(books).charges(sealed.seal)) == drafted
    assert sealed == outcome.sealed
    assert (sealed.seal.by, sealed.seal.total) == ("ada", Decimal("0.30"))


def test_numbers_follow_each_other_through_the_months_by_tenant(
    ledger: CellLedger, books: Path
) -> None:
    ledger.cells.append(pending("2026-10-11"))
    close_month(ledger, books, SEPTEMBER)
    close_waiving(ledger, books, OCTOBER)
    found = [each.seal.numbers for each in Books(books).sealed]
    assert found == [{"a": "2026-000001", "contoso": "2026-000002"}, {"contoso": "2026-000003"}]


def test_a_month_that_someone_closed_meanwhile_stays_theirs(
    ledger: CellLedger, books: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add = Books.add

    def late(self: Books, seal: object) -> bool:
        monkeypatch.setattr(Books, "add", add)
        ledger.cells.append(cell("2026-09-12"))
        close_month(ledger, books, SEPTEMBER, by="bob")
        return add(self, seal)  # pyright: ignore[reportArgumentType]  it is a seal

    monkeypatch.setattr(Books, "add", late)
    outcome = close_month(ledger, books, SEPTEMBER)
    assert outcome
    assert (outcome.is_ours, outcome.sealed.seal.by) == (False, "bob")
    assert outcome.sealed.seal.total == Decimal("0.45")
    assert Books(books).strays() == []


def test_a_refusal_has_every_reason_and_writes_nothing(ledger: CellLedger, books: Path) -> None:
    ledger.cells += [cell("2026-09-12", 7, sku=sku(model="gpt-9")), pending("2026-09-13", 2)]
    letters = Blocker(what="dead-letter", months={"": 3})
    found = refused(ledger, books, SEPTEMBER, outside=[letters])
    assert found.reasons == [
        "contoso: gpt-9 input: 7 tokens without a rate: add a rate",
        "contoso: 2 requests without a count yet: wait until they are completed",
        "3 events refused and kept as dead letters: see: tollgate dead-letters list",
    ]
    assert found.waivers.count("[[waiver]]") == 3
    assert list(books.iterdir()) == []


def test_a_month_is_over_when_its_last_events_had_time_to_come(
    ledger: CellLedger, books: Path
) -> None:
    ledger.cells.append(pending("2026-09-13"))
    early = datetime(2026, 10, 1, 0, 29, 59, tzinfo=UTC)
    found = refused(ledger, books, SEPTEMBER, now=early)
    assert found.reasons[0] == (
        "2026-09 is not over: its events may come until 2026-10-01 00:30 UTC"
    )
    assert (len(found.reasons), found.waivers) == (2, "")  # no waiver ends a month
    ledger.cells.pop()
    assert close_month(ledger, books, SEPTEMBER, now=early.replace(minute=30, second=0))


def test_what_was_waived_is_on_the_statements_and_what_was_not_needed_is_told(
    ledger: CellLedger, books: Path
) -> None:
    ledger.cells.append(pending("2026-09-13", 2))
    stated = [
        StatedWaiver(what="pending", tenant="contoso", at_most=2, reason="lost", by="bob"),
        StatedWaiver(what="pending", tenant="a", at_most=2, reason="lost"),
    ]
    outcome = close_month(ledger, books, SEPTEMBER, waivers=stated)
    assert outcome
    [waiver] = Books(books).edition(outcome.sealed).waivers
    assert (waiver.what, waiver.reason, waiver.by) == (
        "contoso: 2 requests without a count yet",
        "lost",
        "bob",
    )
    assert outcome.unused == ['waiver of pending, tenant "a": nothing of it is there']


def test_a_waiver_that_is_too_small_is_told_so(ledger: CellLedger, books: Path) -> None:
    ledger.cells.append(pending("2026-09-13", 2))
    stated = [StatedWaiver(what="pending", tenant="contoso", at_most=1, reason="lost")]
    [reason] = refused(ledger, books, SEPTEMBER, waivers=stated).reasons
    assert "2 requests without a count yet (the waiver lets 1 pass): wait" in reason


def test_what_is_kept_aside_for_ever_is_waived_once(ledger: CellLedger, books: Path) -> None:
    late = Blocker(what="late", tenant="contoso", months={"2026-09": 2})
    stated = [StatedWaiver(what="late", tenant="contoso", at_most=2, reason="settled")]
    assert close_month(ledger, books, SEPTEMBER, outside=[late], waivers=stated)
    assert close_month(ledger, books, OCTOBER, outside=[late])
    more = Blocker(what="late", tenant="contoso", months={"2026-09": 3})
    [reason] = refused(ledger, books, NOVEMBER, outside=[more]).reasons
    assert reason.startswith("contoso: 1 event kept aside")


@pytest.mark.parametrize("what", ["hub-minutes", "journal"])
def test_what_runs_dry_is_waived_for_one_close_only(
    what: Any, ledger: CellLedger, books: Path
) -> None:
    waits = Blocker(what=what, months={"": 30})
    stated = [StatedWaiver(what=what, at_most=30, reason="of a test gateway")]
    assert close_month(ledger, books, SEPTEMBER, outside=[waits], waivers=stated)
    again = Blocker(what=what, months={"": 20})
    [reason] = refused(ledger, books, OCTOBER, outside=[again]).reasons
    assert "20 " in reason


def test_books_begin_with_a_month_that_has_usage(ledger: CellLedger, books: Path) -> None:
    found = refused(ledger, books, Month(2016, 9))
    assert found.reasons == ["no usage in 2016-09: books begin with a month that has some"]
    close_month(ledger, books, SEPTEMBER)
    close_month(ledger, books, OCTOBER)
    outcome = close_month(ledger, books, NOVEMBER)  # an idle month does not end them
    assert outcome
    assert (outcome.sealed.seal.statements, outcome.sealed.seal.total) == ([], Decimal("0.00"))


def test_months_close_in_order(ledger: CellLedger, books: Path) -> None:
    check_order(Books(books), OCTOBER)
    close_month(ledger, books, SEPTEMBER)
    check_order(Books(books), OCTOBER)
    with pytest.raises(CloseRefused, match="2026-10 is next: months are closed in order"):
        check_order(Books(books), NOVEMBER)
    with pytest.raises(CloseRefused, match="2026-08 lies before 2026-09, with which the books"):
        check_order(Books(books), Month(2026, 8))


def test_books_that_begin_after_usage_say_so(ledger: CellLedger, books: Path) -> None:
    [found] = month_before(Books(books), ledger, OCTOBER)
    assert found.words(OCTOBER).startswith("the month before the books has usage (2 requests)")
    assert month_before(Books(books), ledger, SEPTEMBER) == []
    close_month(ledger, books, SEPTEMBER)
    assert month_before(Books(books), ledger, OCTOBER) == []


def test_usage_before_the_books_that_comes_late_is_told_beyond_what_was_waived(
    ledger: CellLedger, books: Path
) -> None:
    stated = [StatedWaiver(what="month-before", at_most=2, reason="billed by hand")]
    found = month_before(Books(books), ledger, OCTOBER)
    assert close_month(ledger, books, OCTOBER, outside=found, waivers=stated)
    found = month_before(Books(books), ledger, NOVEMBER)
    assert close_month(ledger, books, NOVEMBER, outside=found)
    ledger.cells.append(cell("2026-09-30", tenant="b"))
    found = month_before(Books(books), ledger, Month(2026, 12))
    [reason] = refused(ledger, books, Month(2026, 12), outside=found).reasons
    assert "has usage (1 request), and is not closed (1 of 2026-09): close it first" in reason


class MovingLedger(CellLedger):
    """Takes another event of September each time it is read."""

    def money_cells(self, month: Month) -> Iterator[MoneyCell]:
        self.cells.append(cell("2026-09-20", 1))
        return super().money_cells(month)


def test_nothing_is_written_if_closed_months_move_meanwhile(
    ledger: CellLedger, books: Path
) -> None:
    close_month(ledger, books, SEPTEMBER)
    assert close_month(MovingLedger(ledger.cells), books, OCTOBER) is None
    assert len(list(books.iterdir())) == 2


def test_books_that_someone_began_with_the_month_before_meanwhile_are_read_again(
    ledger: CellLedger, books: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add = Books.add

    def late(self: Books, seal: Any) -> bool:
        monkeypatch.setattr(Books, "add", add)
        assert close_month(ledger, books, SEPTEMBER)
        return add(self, seal)

    monkeypatch.setattr(Books, "add", late)
    assert close_month(ledger, books, OCTOBER) is None
    assert close_month(ledger, books, OCTOBER)
    assert [each.seal.month for each in Books(books).sealed] == ["2026-09", "2026-10"]
    assert Books(books).strays() == []
