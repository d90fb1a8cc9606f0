from __future__ import annotations

import csv
import shutil
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from accounting import OCTOBER, card, money_cell, sku, used
from exporting import BOOKS, owed, part, usage

from accountant.asides import written_aside
from accountant.charges import Charge, Correction, Uncharged
from accountant.edition import Edition
from accountant.errors import NoRoomForAmount
from accountant.exports.books import Books
from accountant.exports.charge_columns import COLUMNS, charge_row
from accountant.exports.charge_tables import TABLES, TableFormat
from accountant.usage_charges import month_charges
from tollgate.ledger.cells import OVERFLOW, Usage


def written(
    folder: Path,
    charges: Iterable[Charge | Uncharged],
    table: TableFormat = "parquet",
    books: Books = BOOKS,
) -> Path:
    path = folder / f"it's.{table}"
    with written_aside(path) as aside, TABLES[table](aside) as write:
        for each in charges:
            write(charge_row(each, books))
    return path


def read(path: Path, columns: str = "*") -> list[dict[str, Any]]:
    with duckdb.connect(config={"threads": 1}) as database:
        found = database.execute(f"SELECT {columns} FROM read_parquet(?)", [str(path)])  # noqa: S608
        names = [name for name, *_ in found.description or []]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def test_a_charge_is_a_row_with_exact_decimals(tmp_path: Path) -> None:
    (row,) = read(written(tmp_path, [usage(1)]))
    assert [*row] == [*COLUMNS]
    assert (row["amount"], row["unit_price"]) == (Decimal("0.00000015"), Decimal("0.15"))
    assert (row["start_day"], row["end_day"]) == (date(2026, 10, 15), date(2026, 10, 16))
    assert (row["quantity"], row["per"], row["unit"]) == (1, 1_000_000, "token")
    assert (row["category"], row["status"], row["correction"]) == ("Usage", "charged", False)


def test_a_part_of_a_shared_cost_says_of_which_and_how(tmp_path: Path) -> None:
    (row,) = read(written(tmp_path, [part("33.34", "idle", {"commitment": "/reservations/7"})]))
    names = ("shared_cost", "shared_method", "share", "shared_whole", "commitment")
    assert [row[name] for name in names] == [
        "ptu-weu",
        "idle",
        Decimal("0.333333333333"),
        Decimal(100),
        "/reservations/7",
    ]


def test_a_correction_says_which_line_it_corrects(tmp_path: Path) -> None:
    late = Correction(month="2026-09", statement="S-9", line=3, reason="usage")
    (row,) = read(written(tmp_path, [usage(correction=late)]))
    names = ("corrected_month", "corrected_statement", "corrected_line", "correction_reason")
    assert row["correction"]
    assert [row[name] for name in names] == ["2026-09", "S-9", 3, "usage"]


def test_every_row_says_which_state_of_the_books_it_is_of(tmp_path: Path) -> None:
    edition = Edition(status="closed", rate_card="v1", numbers={"contoso": "S-1"})
    books = Books(period=OCTOBER, currency="USD", edition=edition)
    (row,) = read(written(tmp_path, [usage()], books=books))
    names = ("month_status", "statement_number", "rate_card", "user")
    assert [row[name] for name in names] == ["closed", "S-1", "v1", None]


def test_csv_has_the_same_columns_and_no_formula(tmp_path: Path) -> None:
    charges = [usage(1, tenant="=1+1", billing_code=OVERFLOW, user="alice"), owed("-0.50")]
    text = written(tmp_path, charges, "csv").read_text()
    first, second = csv.DictReader(text.splitlines())
    assert [*first] == [*COLUMNS]
    assert (first["tenant"], first["billing_code"], first["overflow"]) == (
        "'=1+1",
        "(overflow)",
        "true",
    )
    assert (first["amount"], first["start_day"], first["user"]) == (
        "0.00000015",
        "2026-10-15",
        "alice",
    )
    assert (second["amount"], second["quantity"], second["correction"]) == ("-0.5", "", "false")


def test_money_is_of_a_decimal_type(tmp_path: Path) -> None:
    path = written(tmp_path, [usage()])
    names = ("amount", "effective_amount", "unit_price", "list_unit_price")
    for name in names:
        assert read(path, f"typeof({name}) AS kind") == [{"kind": "DECIMAL(38,18)"}]


def test_amounts_add_up_to_the_total_of_the_statements(tmp_path: Path) -> None:
    cells = [money_cell(usage=used(40_000)), money_cell(tenant="fabrikam", usage=used(10**6))]
    path = written(tmp_path, month_charges(OCTOBER, cells, card()))
    assert read(path, "sum(amount) AS total") == [{"total": Decimal("0.16")}]


def test_usage_in_no_charge_has_no_amount(tmp_path: Path) -> None:
    pending = money_cell(billing_code=None, sku=sku(provenance="pending"), usage=Usage(2, {}))
    cells = [money_cell(sku=sku(model="gpt-9")), pending]
    rows = read(written(tmp_path, month_charges(OCTOBER, cells, card())))
    assert [(row["status"], row["quantity"], row["requests"]) for row in rows] == [
        ("unpriced", 1000, 1),
        ("uncounted", None, 2),
    ]
    assert {row["amount"] for row in rows} == {None}
    assert {row["end_day"] for row in rows} == {date(2026, 10, 16)}


def test_names_come_back_as_they_are(tmp_path: Path) -> None:
    names = ['"', ',"', "=1+1", " x ", "0042", "NULL", "'", "a;b", "予", "\\N", "(overflow)"]
    rows = read(written(tmp_path, [usage(tenant=name) for name in names]))
    assert [row["tenant"] for row in rows] == names


def test_no_name_is_told_from_overflow(tmp_path: Path) -> None:
    rows = read(written(tmp_path, [usage(billing_code=each) for each in (None, OVERFLOW, "x")]))
    assert [(row["billing_code"], row["overflow"]) for row in rows] == [
        (None, False),
        ("(overflow)", True),
        ("x", False),
    ]


def test_the_same_charges_are_the_same_bytes_in_their_order(tmp_path: Path) -> None:
    charges = [usage(number) for number in range(10_000)]
    paths = [written(tmp_path / name, charges) for name in "ab"]
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert [row["quantity"] for row in read(paths[0], "quantity")] == [*range(10_000)]


@pytest.mark.parametrize(
    "charge", [owed("1e-19"), owed("1e20"), owed("-1e20"), usage(2**63)], ids=str
)
def test_what_does_not_fit_is_never_rounded(charge: Charge, tmp_path: Path) -> None:
    with pytest.raises(NoRoomForAmount, match="does not fit in a"):
        written(tmp_path, [charge])
    assert [*tmp_path.iterdir()] == []


def test_nothing_else_stays_in_the_directory(tmp_path: Path) -> None:
    path = written(tmp_path / "new", [usage()])
    assert [*path.parent.iterdir()] == [path]


def test_a_directory_that_goes_away_is_a_problem_of_its_file(tmp_path: Path) -> None:
    def charges() -> Iterator[Charge]:
        yield usage()
        shutil.rmtree(tmp_path / "gone")

    with pytest.raises(OSError, match="No files found"):
        written(tmp_path / "gone", charges())
