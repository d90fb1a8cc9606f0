from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import msgspec
from exporting import owed, usage
from openpyxl import load_workbook
from openpyxl.workbook import Workbook
from stating import HOSTILE, document, facts, hostile_document, summary

from accountant.labels import shown
from accountant.statements.document import Document
from accountant.statements.document_xlsx import document_xlsx
from accountant.statements.summary_document import summary_document

TESTS = Path(__file__).parents[3]


def book(found: Document | None = None) -> Workbook:
    return load_workbook(BytesIO(document_xlsx(found or document())))


def column(workbook: Workbook, sheet: str, heading: str) -> list[Any]:
    """What stands below a heading, until the first empty row."""
    rows = list(workbook[sheet].iter_rows(values_only=True))
    place = rows[0].index(heading)
    end = next((at for at, row in enumerate(rows) if set(row) == {None}), len(rows))
    return [row[place] for row in rows[1:end]]


def cells(workbook: Workbook) -> Iterator[Any]:
    for sheet in workbook.worksheets:
        for row in sheet.iter_rows():
            yield from row


def test_a_sheet_holds_a_view() -> None:
    assert book().sheetnames == [
        *("Cover", "Statement", "Usage", "Shared costs", "Credits and other", "Corrections"),
        *("Not in the total", "Coverage", "Waivers", "By day"),
    ]


def test_figures_are_numbers_that_add_up_to_the_statement() -> None:
    found = book()
    *parts, owed_ = column(found, "Statement", "Amount")
    assert all(isinstance(each, int | float) for each in parts)
    assert round(sum(parts), 6) == owed_ == 37.49
    *lines, whole = column(found, "Usage", "Amount")
    assert sum(lines) == whole == 6.15
    assert column(found, "Usage", "Quantity") == [1_000_000, 40_000_000, None]
    assert found["Cover"]["B5"].value == 37.49


def test_a_number_shows_all_its_decimals() -> None:
    charges = [usage(1, amount=Decimal("0.00000015"))]
    sheet = book(document(charges, facts()))["Usage"]
    assert (sheet["I2"].value, sheet["I2"].number_format) == (0.00000015, "#,##0.00000000")
    assert sheet["G2"].number_format == "#,##0.00"


def test_a_percentage_is_one() -> None:
    sheet = book()["Shared costs"]
    assert (sheet["F2"].value, sheet["F2"].number_format) == (0.333333, "0.0000%")


def test_a_day_is_a_date() -> None:
    assert column(book(), "By day", "Day (UTC)") == [datetime(2026, 10, 15)] * 2  # noqa: DTZ001  a cell has no zone


def test_more_digits_than_a_number_holds_stand_beside_it_as_text() -> None:
    long = Decimal("1234567890123.456789")
    found = book(document([owed(str(long), category="Purchase")], facts()))
    assert column(found, "Credits and other", "Amount")[0] == 1234567890123.46
    exact = column(found, "Credits and other", "Amount, every digit")
    assert exact == ["1,234,567,890,123.456789"] * 2


def test_a_total_of_more_digits_than_a_number_holds_is_whole_on_the_cover() -> None:
    found = book(document([owed("12345678901234567.89", category="Purchase")], facts()))
    assert found["Cover"]["B6"].value == "12,345,678,901,234,567.89"


def test_no_text_is_a_formula_or_a_link() -> None:
    found = book(hostile_document())
    for cell in cells(found):
        assert cell.data_type != "f"
        assert cell.hyperlink is None
    texts = {cell.value for cell in cells(found)}
    assert {shown(name) for name in HOSTILE} <= texts
    risky = [cell for cell in cells(found) if str(cell.value).startswith("=")]
    assert risky
    assert all(cell.quotePrefix for cell in risky)


def test_headings_stay_in_sight_and_rows_can_be_filtered() -> None:
    for sheet in book().worksheets[1:]:
        assert sheet.freeze_panes == "A2"
        assert sheet.print_title_rows == "$1:$1"
        assert (sheet.page_setup.orientation, sheet.page_setup.paperSize) == ("landscape", 9)
    assert book()["Usage"].auto_filter.ref == "A1:I3"  # the sum is not among what is filtered


def test_the_summary_is_a_workbook_too() -> None:
    found = book(summary_document(summary("contoso", "fabrikam")))
    assert column(found, "Statements", "Total") == [37.49, 37.49, 74.98]


def test_the_same_input_gives_the_same_bytes_in_every_process() -> None:
    program = (
        "import sys; from hashlib import sha256; from stating import *;"
        "from accountant.statements.statement_files import document_bytes as made;"
        "print([sha256(made(hostile_document(), f)).hexdigest()"
        " for f in ('html', 'xlsx', 'md', 'pdf')])"
    )
    written = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(TESTS), "PATH": ""},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(written) == 1
    assert b"'" in written.pop()


def test_it_says_that_it_was_made_on_the_months_last_day() -> None:
    found = msgspec.structs.replace(document())
    made = load_workbook(BytesIO(document_xlsx(found))).properties.created
    assert made == datetime(2026, 10, 31)  # noqa: DTZ001  a workbook says no zone
