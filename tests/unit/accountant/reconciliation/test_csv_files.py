from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import pytest

from accountant.reconciliation.csv_files import MAX_PROBLEMS, Problems, csv_rows, number_of
from tollgate.errors import SettingsError

NEEDED = {"day": ("Date", "UsageDate"), "cost": ("Cost",)}
OPTIONAL = {"tier": ("ServiceTier",)}


def read(
    tmp_path: Path, content: str | bytes
) -> tuple[list[tuple[str, Mapping[str, str]]], list[str]]:
    """The rows by line, and the problems."""
    path = tmp_path / "x.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    problems = Problems()
    rows = [*csv_rows(path, NEEDED, OPTIONAL, problems)]
    start = f"{path}: "
    told = [problem.removeprefix(start) for problem in texts(problems)]
    return [(place.removeprefix(start), cells) for place, cells in rows], told


def texts(problems: Problems) -> list[str]:
    try:
        problems.check()
    except SettingsError as error:
        return error.problems
    return []


def test_columns_are_found_by_any_of_their_names(tmp_path: Path) -> None:
    rows, problems = read(tmp_path, "\ufeffusage_date,Service Tier,Other,COST\n1,default,x, 2 \n")
    assert (rows, problems) == (
        [("line 2", {"day": "1", "cost": "2", "tier": "default"})],
        [],
    )


def test_the_best_name_wins(tmp_path: Path) -> None:
    rows, _ = read(tmp_path, "UsageDate,Date,Cost\nold,new,1\n")
    assert rows == [("line 2", {"day": "new", "cost": "1", "tier": ""})]


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_other_delimiters_are_read(tmp_path: Path, delimiter: str) -> None:
    rows, _ = read(tmp_path, delimiter.join(("Date", "Cost")) + "\n" + delimiter.join("12") + "\n")
    assert [cells["cost"] for _, cells in rows] == ["2"]


def test_missing_columns_are_told_with_their_names(tmp_path: Path) -> None:
    assert read(tmp_path, "a,b\n1,2\n") == (
        [],
        ["line 1: has no column Date or UsageDate", "line 1: has no column Cost"],
    )
    assert read(tmp_path, "")[1] == [
        *("line 1: has no column Date or UsageDate", "line 1: has no column Cost")
    ]


def test_a_row_stands_on_the_line_on_which_it_begins(tmp_path: Path) -> None:
    rows, problems = read(tmp_path, 'Date,Cost\n"a\nb",1\n\nc,2\nd\n')
    assert [place for place, _ in rows] == ["line 2", "line 5"]
    assert problems == ["line 6: has 1 cells, the header 2"]


def test_a_name_that_we_escaped_comes_back(tmp_path: Path) -> None:
    rows, _ = read(tmp_path, "Date,Cost\n'=a,1\n")
    assert rows[0][1]["day"] == "=a"


def test_what_is_no_csv_is_told(tmp_path: Path) -> None:
    assert read(tmp_path, b"Date,Cost\n\xff,1\n")[1] == ["is not UTF-8"]
    assert read(tmp_path, 'Date,Cost\n"a"b,1\n')[1][0].startswith("is not CSV: ")


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    problems = Problems()
    assert [*csv_rows(tmp_path / "none", NEEDED, OPTIONAL, problems)] == []
    assert texts(problems)[0].endswith("none: cannot be read: No such file or directory")


def test_after_a_hundred_problems_the_rest_is_a_number() -> None:
    problems = Problems()
    for number in range(MAX_PROBLEMS + 1234):
        problems.add(str(number))
    assert texts(problems)[-2:] == [str(MAX_PROBLEMS - 1), "and 1,234 more problems"]


@pytest.mark.parametrize(
    "text", ["0", "1", "-1.5", "1.", "7.5E-7", "1.5E+5", "12345678901234567890"]
)
def test_a_number_has_a_point_at_most(text: str) -> None:
    assert number_of(text) == Decimal(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1,5",
        "1.250,00",
        "+1",
        "NaN",
        "Infinity",
        "0x1",
        "1_000",
        "1e99999",
        "1e21",
        "1e-41",
        "٣",
    ],
)
def test_other_text_is_no_number(text: str) -> None:
    assert number_of(text) is None
