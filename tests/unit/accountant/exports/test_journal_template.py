from __future__ import annotations

import csv
from datetime import date
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from accounting import OCTOBER
from exporting import BOOKS

from accountant.charges import Correction
from accountant.edition import Edition
from accountant.exports.books import Books
from accountant.exports.journal import Posting
from accountant.exports.journal_template import (
    DEFAULT,
    FIELDS,
    Template,
    journal_csv,
    read_template,
)
from tollgate.errors import SettingsError
from tollgate.ledger.cells import OVERFLOW


def posting(amount: str = "1.50", tenant: str = "contoso", code: str | None = "CC-1") -> Posting:
    return Posting(
        batch="2026-10 USD",
        reference=None,
        account="6400",
        cost_centre="4711",
        tenant=tenant,
        billing_code=code,
        amount=Decimal(amount),
        text="Usage",
    )


def row(cells: list[str], *postings: Posting) -> list[str]:
    text = journal_csv(postings, BOOKS, Template(["x"] * len(cells), cells))
    return list(csv.reader(text.splitlines()))[1]


def refused(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "journal.csv"
    path.write_text(text)
    with pytest.raises(SettingsError) as found:
        read_template(path)
    return [problem.removeprefix(f"{path}: ") for problem in found.value.problems]


def test_the_default_has_a_column_a_field() -> None:
    text = journal_csv([posting(), posting("-1.50", code=None)], BOOKS)
    same = "2026-10 USD,,2026-10-31,2026-10-31,2026-10,6400,4711"
    assert text.splitlines() == [
        (
            "line,batch,reference,document_date,date,period,account,cost_centre,debit,credit,"
            "currency,text,tenant,billing_code"
        ),
        f"1,{same},1.50,,USD,Usage,contoso,CC-1",
        f"2,{same},,1.50,USD,Usage,contoso,",
    ]


def test_a_closed_month_is_dated_by_its_close() -> None:
    edition = Edition(status="closed", rate_card="v1", closed_on=date(2026, 11, 3))
    books = Books(period=OCTOBER, currency="USD", edition=edition)
    cells = ["{document_date}", "{date}", "{status}", "{rate_card}", "{reference}"]
    found = msgspec.structs.replace(posting(), reference="=S-1")
    text = journal_csv([found], books, Template(cells, cells))
    assert text.splitlines()[1] == "2026-11-03,2026-10-31,closed,v1,'=S-1"


def test_a_correction_has_its_line_in_columns() -> None:
    cells = ["{corrected_month}", "{corrected_statement}", "{corrected_line}"]
    late = Correction(month="2026-09", statement="S-9", line=3, reason="usage")
    anew = Correction(month="2026-09", statement=None, line=None, reason="usage")
    found = [msgspec.structs.replace(posting(), correction=each) for each in (late, anew, None)]
    assert [row(cells, each) for each in found] == [
        ["2026-09", "S-9", "3"],
        ["2026-09", "", ""],
        ["", "", ""],
    ]


def test_a_template_says_the_columns_and_what_is_between_them(tmp_path: Path) -> None:
    path = tmp_path / "journal.csv"
    path.write_text("Konto;Betrag;Text;Werk\n{account};{amount};AI {period} {tenant};1000\n")
    text = journal_csv([posting("-0.50")], BOOKS, read_template(path))
    assert text == "Konto;Betrag;Text;Werk\n6400;-0.50;AI 2026-10 contoso;1000\n"


def test_text_never_starts_a_formula_and_amounts_stay_numbers() -> None:
    found = posting("-1.50", tenant="=cmd|x")
    cells = ["{tenant}", "{tenant} x", "-{text}", "{amount}", "x {tenant}"]
    assert row(cells, found) == ["'=cmd|x", "'=cmd|x x", "'-Usage", "-1.50", "x =cmd|x"]


def test_overflow_is_told_from_a_code_of_that_name() -> None:
    assert row(["{billing_code}"], posting(code=OVERFLOW)) == ["(overflow)"]
    assert row(["{billing_code}"], posting(code="(overflow)")) == ["'(overflow)"]


def test_names_are_not_read_as_fields() -> None:
    assert row(["{tenant}/{text}"], posting(tenant="{account}")) == ["{account}/Usage"]


def test_every_problem_of_a_template_is_told(tmp_path: Path) -> None:
    assert refused(tmp_path, "a,b,c\n{acount},{x} {tenant}\n") == [
        "the header has 3 cells, the row under it 2",
        "row 2, column 1: {acount} is not a field",
        "row 2, column 2: {x} is not a field",
        "the fields are " + ", ".join(f"{{{name}}}" for name in FIELDS),
    ]
    assert refused(tmp_path, "a,b\n{debit},{tenant}\n") == [
        "needs {debit} and {credit}, or {amount}",
        "needs {account}",
    ]
    assert refused(tmp_path, "a,b\n") == [
        "has 1 rows; write two, a header and what stands under it"
    ]


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="No such file"):
        read_template(tmp_path / "none.csv")
    (tmp_path / "latin.csv").write_bytes(b"Geb\xfchr,x\n")
    with pytest.raises(SettingsError, match="it is not UTF-8"):
        read_template(tmp_path / "latin.csv")


def test_the_default_is_a_template_like_any_other(tmp_path: Path) -> None:
    path = tmp_path / "default.csv"
    path.write_text(",".join(DEFAULT.header) + "\r\n" + ",".join(DEFAULT.cells) + "\r\n")
    assert [*read_template(path).cells] == [*DEFAULT.cells]
