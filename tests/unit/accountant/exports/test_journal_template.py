from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path

import pytest
from accounting import OCTOBER

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
        account="6400",
        cost_centre="4711",
        tenant=tenant,
        billing_code=code,
        amount=Decimal(amount),
        text="Usage",
    )


def row(cells: list[str], *postings: Posting) -> list[str]:
    text = journal_csv(postings, OCTOBER, "USD", Template(["x"] * len(cells), cells))
    return list(csv.reader(text.splitlines()))[1]


def refused(tmp_path: Path, text: str) -> list[str]:
    path = tmp_path / "journal.csv"
    path.write_text(text)
    with pytest.raises(SettingsError) as found:
        read_template(path)
    return [problem.removeprefix(f"{path}: ") for problem in found.value.problems]


def test_the_default_has_a_column_a_field() -> None:
    text = journal_csv([posting(), posting("-1.50", code=None)], OCTOBER, "USD")
    assert text.splitlines() == [
        "line,date,account,cost_centre,debit,credit,currency,text,tenant,billing_code",
        "1,2026-10-31,6400,4711,1.50,,USD,Usage,contoso,CC-1",
        "2,2026-10-31,6400,4711,,1.50,USD,Usage,contoso,",
    ]


def test_a_template_says_the_columns_and_what_is_between_them(tmp_path: Path) -> None:
    path = tmp_path / "journal.csv"
    path.write_text("Konto;Betrag;Text;Werk\n{account};{amount};AI {period} {tenant};1000\n")
    text = journal_csv([posting("-0.50")], OCTOBER, "EUR", read_template(path))
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
