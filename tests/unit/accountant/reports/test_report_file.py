from __future__ import annotations

import re
from pathlib import Path

import pytest

from accountant.reports.report_file import file_name, write_report


def test_a_report_replaces_an_older_one_in_a_new_folder(tmp_path: Path) -> None:
    folder = tmp_path / "statements" / "2026"
    write_report(folder, "report.json", b"old")
    path = write_report(folder, "report.json", b"new")
    assert path.read_bytes() == b"new"
    assert [*folder.iterdir()] == [path]


def test_a_report_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "report.json").mkdir()
    with pytest.raises(OSError, match="directory"):
        write_report(tmp_path, "report.json", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]


def test_a_file_is_named_after_the_month_and_the_tenant() -> None:
    assert file_name("2026-10", None, "csv") == "report-2026-10.csv"
    assert file_name("2026-10", "a/../b", "csv") == "report-2026-10.a%2F..%2Fb.csv"


@pytest.mark.parametrize("letter", ["x", "ü", "予", "🧾"])
def test_a_long_tenant_has_a_file_of_its_own(tmp_path: Path, letter: str) -> None:
    names = [file_name("2026-10", letter * 255 + end, "json") for end in ("a", "b")]
    for name in names:
        write_report(tmp_path, name, name.encode())
    assert sorted(path.read_text() for path in tmp_path.iterdir()) == sorted(names)
    assert all(re.search(r"(%..|x)\+[0-9a-f]{16}\.json$", name) for name in names)


def test_tenants_that_differ_in_capitals_have_files_of_their_own_on_every_file_system() -> None:
    names = {file_name("2026-10", tenant, "csv").lower() for tenant in ("contoso", "Contoso", "É")}
    assert len(names) == 3
    assert file_name("2026-10", "contoso", "csv") == "report-2026-10.contoso.csv"
