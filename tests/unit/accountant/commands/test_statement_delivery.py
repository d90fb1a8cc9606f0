from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path

import pytest
from accounting import apply_on_redis, empty_redis
from builders import event
from openpyxl import load_workbook
from pypdf import PdfReader
from typer.testing import CliRunner, Result

from accountant.cli import app

pytest_plugins = ["servers"]

DATABASE = 8  # of its own, beside those of other tests
FORMATS = {"table": "txt", **{name: name for name in ("csv", "json", "html", "md", "xlsx", "pdf")}}
TENANTS = ("contoso", "a%2F..%2Fb")


@pytest.fixture
def ledger(redis_server: str) -> str:
    """The URL of a ledger with one event of contoso and one of a tenant named like a path."""
    url = empty_redis(f"{redis_server}/{DATABASE}")
    other = event("2", scope="global", tenant="a/../b", user="bob")
    apply_on_redis(url, [event("1", scope="global"), other])
    return url


def run(url: str, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["report", "2026-10", "--redis-url", url, *arguments])


@pytest.mark.parametrize("layout", FORMATS)
def test_every_tenant_has_a_file_and_the_month_one_more(
    ledger: str, tmp_path: Path, layout: str
) -> None:
    out = tmp_path / "made"
    result = run(ledger, "--format", layout, "--out", str(out))
    suffix = FORMATS[layout]
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == (
        f"accountant: wrote {out}/report-2026-10.{suffix} and 2 statements beside it\n"
    )
    names = [f"report-2026-10.{name}.{suffix}" for name in TENANTS]
    assert {path.name for path in out.iterdir()} == {*names, f"report-2026-10.{suffix}"}


@pytest.mark.parametrize("layout", FORMATS)
def test_one_tenants_statement_stands_alone(ledger: str, tmp_path: Path, layout: str) -> None:
    result = run(ledger, "--format", layout, "--out", str(tmp_path), "--tenant", "contoso")
    name = f"report-2026-10.contoso.{FORMATS[layout]}"
    assert result.stderr == f"accountant: wrote {tmp_path / name}\n"
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("layout", FORMATS)
def test_a_statement_is_the_same_alone_and_among_others(
    ledger: str, tmp_path: Path, layout: str
) -> None:
    run(ledger, "--format", layout, "--out", str(tmp_path / "all"))
    run(ledger, "--format", layout, "--out", str(tmp_path / "one"), "--tenant", "contoso")
    name = f"report-2026-10.contoso.{FORMATS[layout]}"
    assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "all" / name).read_bytes()


def test_all_formats_say_the_same_total(ledger: str, tmp_path: Path) -> None:
    for layout in FORMATS:
        run(ledger, "--format", layout, "--out", str(tmp_path))
    path = tmp_path / "report-2026-10.contoso.json"
    owed = json.loads(path.read_text())["total"]
    for suffix in ("html", "md", "txt"):
        assert owed in path.with_suffix(f".{suffix}").read_text()
    book = load_workbook(BytesIO(path.with_suffix(".xlsx").read_bytes()))
    assert book["Cover"]["B5"].value == float(owed)
    assert owed in PdfReader(path.with_suffix(".pdf")).pages[0].extract_text()


def test_a_page_of_the_whole_month_holds_every_statement(ledger: str) -> None:
    page = run(ledger, "--format", "html").stdout
    assert page.count("<main") == 3
    assert "<title>Chargeback for October 2026</title>" in page
    alone = run(ledger, "--format", "html", "--tenant", "contoso").stdout
    assert (alone.count("<main"), alone.count("a/../b")) == (1, 0)


def test_markdown_of_the_whole_month_begins_with_the_summary(ledger: str) -> None:
    lines = run(ledger, "--format", "md").stdout.splitlines()
    titles = [line for line in lines if line.startswith("# ")]
    assert titles == [
        "# Chargeback for October 2026: All tenants",
        "# Statement for October 2026: a/../b",
        "# Statement for October 2026: contoso",
    ]


@pytest.mark.parametrize("layout", ["xlsx", "pdf"])
def test_what_is_no_text_needs_a_directory(ledger: str, layout: str) -> None:
    result = run(ledger, "--format", layout, "--by", "user")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.splitlines() == [
        f"accountant: --by: {layout} is by billing code and model; use table, csv or json",
        f"accountant: --format {layout} writes files: say where with --out DIR",
    ]


def test_groups_asked_for_are_those_of_every_tenants_file(ledger: str, tmp_path: Path) -> None:
    run(ledger, "--format", "json", "--by", "user", "--out", str(tmp_path))
    found = json.loads((tmp_path / "report-2026-10.contoso.json").read_text())
    assert {line["user"] for line in found["lines"]} == {"alice"}


@pytest.mark.parametrize("layout", ["html", "md", "pdf", "xlsx"])
def test_a_month_without_usage_has_no_documents(ledger: str, tmp_path: Path, layout: str) -> None:
    out = tmp_path / "made"
    command = ["report", "2026-09", "--redis-url", ledger, "--format", layout, "--out", str(out)]
    result = CliRunner().invoke(app, command)
    assert (result.exit_code, result.stderr) == (1, "accountant: no usage in 2026-09\n")
    assert not out.exists()


def test_a_month_without_usage_is_no_page(ledger: str) -> None:
    result = CliRunner().invoke(
        app, ["report", "2026-09", "--redis-url", ledger, "--format", "html"]
    )
    assert (result.exit_code, result.stdout) == (1, "")


@pytest.mark.parametrize("layout", ["csv", "html"])
def test_a_directory_that_cannot_be_written_is_one_line(
    ledger: str, tmp_path: Path, layout: str
) -> None:
    (tmp_path / "file").touch()
    result = run(ledger, "--format", layout, "--out", str(tmp_path / "file"))
    assert result.exit_code == 2
    assert result.stderr.startswith(f"accountant: cannot write {tmp_path / 'file'}: ")
    assert result.stderr.count("\n") == 1
