from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
from accounting import golden_reader
from exporting import focus_csv, golden_accounts, golden_books, golden_charges, journal_of
from focus_rules import broken_rules

from accountant.charges import Uncharged
from accountant.exports.focus import uncharged_header, uncharged_row
from accountant.exports.focus_columns import FocusVersion
from accountant.exports.journal_template import journal_csv
from accountant.reports.report import Report
from accountant.reports.report_csv import as_csv
from accountant.reports.report_json import as_json
from accountant.reports.report_table import as_table

MONTHS, REPORTED, EXPORTED = (
    sorted(path.parent for path in Path(__file__).parent.glob(f"*/{name}"))
    for name in ("events.jsonl", "report.json", "journal.csv")
)
WRITTEN: dict[str, Callable[[Report], str]] = {
    "report.json": as_json,
    "report.csv": as_csv,
    "report.txt": lambda report: as_table(report, 80),
}
BY = ("tenant", "billing_code", "model")


def report_of(folder: Path, by: tuple[str, ...] = BY) -> Report:
    """The report of a folder's events, as they were delivered."""
    return golden_reader(folder).report(by)


@pytest.mark.parametrize("folder", REPORTED, ids=lambda folder: folder.name)
@pytest.mark.parametrize("name", WRITTEN)
def test_report_is_byte_for_byte_what_was_worked_out(folder: Path, name: str) -> None:
    assert WRITTEN[name](report_of(folder)).encode() == (folder / name).read_bytes()


@pytest.mark.parametrize("folder", REPORTED, ids=lambda folder: folder.name)
def test_users_add_up_to_the_same_total(folder: Path) -> None:
    by_hour, by_user = report_of(folder), report_of(folder, ("user", "region"))
    assert (by_hour.total, by_hour.rounding) == (by_user.total, by_user.rounding)
    assert by_hour.coverage == by_user.coverage


@pytest.mark.parametrize("folder", EXPORTED, ids=lambda folder: folder.name)
@pytest.mark.parametrize("version", ["1.0", "1.2"])
def test_focus_is_byte_for_byte_what_was_checked(folder: Path, version: FocusVersion) -> None:
    written = (folder / f"focus-{version}.csv").read_bytes()
    text = focus_csv(golden_charges(folder), version, golden_books(folder))
    assert text.encode() == written


@pytest.mark.parametrize("folder", MONTHS, ids=lambda folder: folder.name)
def test_focus_keeps_the_conditional_rules_of_1_2(folder: Path) -> None:
    text = focus_csv(golden_charges(folder), "1.2", golden_books(folder))
    rows = csv.DictReader(text.splitlines())
    assert [(row["ChargeDescription"], rule) for row in rows for rule in broken_rules(row)] == []


@pytest.mark.parametrize("folder", EXPORTED, ids=lambda folder: folder.name)
def test_usage_in_no_charge_is_byte_for_byte_what_was_checked(folder: Path) -> None:
    left_out = [each for each in golden_charges(folder) if isinstance(each, Uncharged)]
    books = golden_books(folder)
    rows = "".join(uncharged_row(each, books) for each in left_out)
    assert (uncharged_header() + rows).encode() == (folder / "unpriced.csv").read_bytes()


@pytest.mark.parametrize("folder", EXPORTED, ids=lambda folder: folder.name)
def test_journal_is_byte_for_byte_what_was_worked_out(folder: Path) -> None:
    books = golden_books(folder)
    postings = journal_of(golden_charges(folder), books, golden_accounts(folder))
    assert journal_csv(postings, books).encode() == (folder / "journal.csv").read_bytes()
