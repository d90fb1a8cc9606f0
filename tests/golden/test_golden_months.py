from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from accounting import month_cells
from exporting import BOOKS, focus_csv, golden_charges

from accountant.charges import Charge, Uncharged
from accountant.exports.focus import uncharged_header, uncharged_row
from accountant.exports.focus_columns import FocusVersion
from accountant.exports.journal import Accounts, journal, owed_by_code
from accountant.exports.journal_template import journal_csv
from accountant.rate_cards.rate_files import load_rate_card
from accountant.reports.report import Report, month_report
from accountant.reports.report_csv import as_csv
from accountant.reports.report_json import as_json
from accountant.reports.report_table import as_table
from tollgate.ledger.memory_ledger import MemoryLedger
from tollgate.usage.event import decode_event
from tollgate.usage.periods import Month

MONTHS = sorted(path.parent for path in Path(__file__).parent.glob("*/events.jsonl"))
EXPORTED = [month for month in MONTHS if (month / "journal.csv").exists()]
WRITTEN: dict[str, Callable[[Report], str]] = {
    "report.json": as_json,
    "report.csv": as_csv,
    "report.txt": lambda report: as_table(report, 80),
}
BY = ("tenant", "billing_code", "model")


def report_of(folder: Path, by: tuple[str, ...] = BY) -> Report:
    """The report of a folder's events, as they were delivered."""
    month, ledger = Month.parse(folder.name), MemoryLedger()
    lines = (folder / "events.jsonl").read_bytes().splitlines()
    asyncio.run(ledger.apply([decode_event(line) for line in lines], now=month.end))
    card = load_rate_card(folder / "rates.toml")
    return month_report(month, by, month_cells(ledger, month, by), card)


@pytest.mark.parametrize("folder", MONTHS, ids=lambda folder: folder.name)
@pytest.mark.parametrize("name", WRITTEN)
def test_report_is_byte_for_byte_what_was_worked_out(folder: Path, name: str) -> None:
    assert WRITTEN[name](report_of(folder)).encode() == (folder / name).read_bytes()


@pytest.mark.parametrize("folder", MONTHS, ids=lambda folder: folder.name)
def test_users_add_up_to_the_same_total(folder: Path) -> None:
    by_hour, by_user = report_of(folder), report_of(folder, ("user", "region"))
    assert (by_hour.total, by_hour.rounding) == (by_user.total, by_user.rounding)
    assert by_hour.coverage == by_user.coverage


@pytest.mark.parametrize("folder", EXPORTED, ids=lambda folder: folder.name)
@pytest.mark.parametrize("version", ["1.0", "1.2"])
def test_focus_is_byte_for_byte_what_was_checked(folder: Path, version: FocusVersion) -> None:
    written = (folder / f"focus-{version}.csv").read_bytes()
    assert focus_csv(golden_charges(folder), version).encode() == written


@pytest.mark.parametrize("folder", EXPORTED, ids=lambda folder: folder.name)
def test_usage_in_no_charge_is_byte_for_byte_what_was_checked(folder: Path) -> None:
    left_out = [each for each in golden_charges(folder) if isinstance(each, Uncharged)]
    rows = "".join(uncharged_row(each, BOOKS) for each in left_out)
    assert (uncharged_header() + rows).encode() == (folder / "unpriced.csv").read_bytes()


@pytest.mark.parametrize("folder", EXPORTED, ids=lambda folder: folder.name)
def test_journal_is_byte_for_byte_what_was_worked_out(folder: Path) -> None:
    period, currency = Month.parse(folder.name), load_rate_card(folder / "rates.toml").currency
    charges = [each for each in golden_charges(folder) if isinstance(each, Charge)]
    postings = journal(period, owed_by_code(charges), currency, Accounts())
    written = (folder / "journal.csv").read_bytes()
    assert journal_csv(postings, period, currency).encode() == written
