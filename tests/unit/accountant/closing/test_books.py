from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from closed_months import NOVEMBER, OCTOBER, SEPTEMBER, CellLedger, cell, close_month

from accountant.closing.books import Books, after, before
from accountant.errors import BooksError
from tollgate.usage.periods import Month

DAYS = {SEPTEMBER: "2026-09-10", OCTOBER: "2026-10-10", NOVEMBER: "2026-11-10"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three closed months, the second of which corrects the first."""
    ledger, where = CellLedger(), tmp_path / "books"
    for month, day in DAYS.items():
        ledger.cells += [cell(day), cell("2026-09-11")] if month == OCTOBER else [cell(day)]
        close_month(ledger, where, month)
    return where


def test_the_months_are_a_chain(folder: Path) -> None:
    books = Books(folder)
    assert [each.seal.month for each in books.sealed] == ["2026-09", "2026-10", "2026-11"]
    digests = [None, *(each.digest for each in books.sealed)]
    assert [each.seal.previous for each in books.sealed] == digests[:-1]
    assert (books.open_month, books.problems(), books.strays()) == (Month(2026, 12), [], [])


def test_a_month_that_a_later_one_corrects_is_restated(folder: Path) -> None:
    books = Books(folder)
    first, second = (books.edition(each) for each in books.sealed[:2])
    assert (first.status, first.restated_by) == ("restated", ("2026-10",))
    assert (second.status, second.restated_by) == ("closed", ())
    assert second.numbers == {"contoso": "2026-000002"}
    assert second.digest == books.sealed[1].digest


def test_books_that_are_not_there_yet_have_no_closed_month(tmp_path: Path) -> None:
    books = Books(tmp_path / "books")
    assert (books.sealed, books.last, books.open_month) == ((), None, None)
    assert (books.closed(OCTOBER), books.strays(), books.problems()) == (None, [], [])


def edited(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b'"total": "0.30"', b'"total": "0.31"'))


@pytest.mark.parametrize(
    ("name", "spoil", "told"),
    [
        ("2026-09.json", Path.unlink, "2026-09.json: is missing: 2026-10 was closed on it"),
        ("2026-10.json", Path.unlink, "2026-10.json: is missing: 2026-11 was closed on it"),
        ("2026-10.json", edited, "2026-10.json: the seal was changed after the close"),
    ],
)
def test_a_seal_that_is_missing_or_changed_is_found_by_every_reader(
    folder: Path, name: str, spoil: Callable[[Path], None], told: str
) -> None:
    spoil(folder / name)
    with pytest.raises(BooksError) as caught:
        Books(folder)
    assert len(caught.value.problems) == 1
    assert told in caught.value.problems[0]


def test_a_seal_under_another_months_name_is_found(folder: Path) -> None:
    shutil.copy(folder / "2026-09.json", folder / "2026-10.json")
    with pytest.raises(BooksError, match=r"2026-10\.json: the seal was changed"):
        Books(folder)


def test_a_seal_of_other_books_is_found(folder: Path, tmp_path: Path) -> None:
    close_month(CellLedger([cell("2026-09-10")]), tmp_path / "other", SEPTEMBER, by="bob")
    shutil.copy(tmp_path / "other" / "2026-09.json", folder / "2026-09.json")
    with pytest.raises(BooksError, match="is not the seal that 2026-10 was closed on"):
        Books(folder)


def test_charges_that_are_gone_are_found_by_every_reader(folder: Path) -> None:
    for path in folder.glob("2026-1*.gz"):
        path.unlink()
    with pytest.raises(BooksError) as caught:
        Books(folder)
    assert [problem.count("is missing") for problem in caught.value.problems] == [1, 1]


def test_one_byte_of_charges_is_found_when_all_are_read(folder: Path) -> None:
    [path] = folder.glob("2026-10*.gz")
    path.write_bytes(path.read_bytes()[:-1] + b"\1")
    [problem] = Books(folder).problems()
    assert problem.startswith(f"{path}: was changed after the close")


def test_what_is_no_part_of_the_books_is_told(folder: Path) -> None:
    (folder / ".1.0.part").touch()
    assert Books(folder).strays() == [".1.0.part"]


def test_a_folder_that_cannot_be_read_is_one_problem(tmp_path: Path) -> None:
    (tmp_path / "books").touch()
    with pytest.raises(BooksError, match="cannot be read: Not a directory"):
        Books(tmp_path / "books")


def test_months_follow_each_other_over_the_year() -> None:
    assert after(Month(2026, 12)) == Month(2027, 1)
    assert before(Month(2027, 1)) == Month(2026, 12)
    assert before(after(OCTOBER)) == OCTOBER
