from __future__ import annotations

import gzip
import json
from datetime import date
from pathlib import Path

import pytest
from accounting import sku
from exporting import owed, usage

from accountant.charges import Allocation, Charge, Consumption, Correction, Uncharged
from accountant.closing.charge_files import (
    ChargeFile,
    file_problem,
    put_in_place,
    read_charges,
    write_charges,
)
from accountant.errors import BooksError

ALLOCATION = Allocation(cost="gateway", method="even", share="1/3", whole=usage().amount)
CORRECTION = Correction(month="2026-09", statement="2026-000001", line=3, reason="price")
LEFT_OUT = Uncharged(
    tenant="contoso",
    billing_code=None,
    start=date(2026, 10, 15),
    sku=sku(model=None),
    requests=2,
    consumed=Consumption(sku=sku(model=None), meter="input", quantity=7, requests=2),
)
ROWS: list[Charge | Uncharged] = [
    usage(10**30),
    owed("-0.00000000000000000000001", allocation=ALLOCATION),
    usage(-5, correction=CORRECTION, billing_code="=\x1foverflow"),
    LEFT_OUT,
]


def written(folder: Path, rows: list[Charge | Uncharged]) -> ChargeFile:
    file = write_charges(folder / "aside", "2026-10", rows)
    put_in_place(folder / "aside", folder, file)
    return file


def test_charges_are_read_as_they_were_written(tmp_path: Path) -> None:
    file = written(tmp_path, ROWS)
    assert list(read_charges(tmp_path, file)) == ROWS
    assert file.rows == len(ROWS)
    assert [path.name for path in tmp_path.iterdir()] == [file.name]


def test_the_same_charges_are_the_same_bytes_in_the_same_file(tmp_path: Path) -> None:
    files = set[ChargeFile]()
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        files.add(written(tmp_path / name, ROWS))
    assert len(files) == 1


def test_anyone_can_read_the_file(tmp_path: Path) -> None:
    lines = gzip.decompress((tmp_path / written(tmp_path, ROWS).name).read_bytes()).splitlines()
    assert [list(json.loads(line)) for line in lines] == [["charge"]] * 3 + [["uncharged"]]
    assert json.loads(lines[2])["charge"]["amount"] == "-7.5E-7"


def test_a_change_of_any_byte_is_found(tmp_path: Path) -> None:
    file = written(tmp_path, ROWS)
    path = tmp_path / file.name
    content = path.read_bytes()
    for place in range(len(content)):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        with pytest.raises(BooksError, match="was changed after the close; restore it"):
            list(read_charges(tmp_path, file))
        assert file_problem(tmp_path, file, whole=False) is None


def test_a_file_of_another_size_is_found_without_reading_it(tmp_path: Path) -> None:
    file = written(tmp_path, ROWS)
    with (tmp_path / file.name).open("ab") as longer:
        longer.write(b"\n")
    assert "was changed" in (file_problem(tmp_path, file, whole=False) or "")


def test_a_file_that_is_missing_or_cannot_be_read_is_told(tmp_path: Path) -> None:
    file = written(tmp_path, ROWS)
    (tmp_path / file.name).unlink()
    assert "is missing: it holds the charges" in (file_problem(tmp_path, file) or "")
    assert "cannot be read" in (file_problem(tmp_path / ("x" * 300), file) or "")
