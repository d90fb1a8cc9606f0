from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from accountant.cli import app

GENAI = [
    {
        "id": "azure",
        "models": [
            {"id": "gpt-4o-mini", "prices": {"input_mtok": 0.15, "output_mtok": 0.6, "x_mtok": 1}}
        ],
    }
]
RETAIL = {
    "Items": [
        {
            "currencyCode": "USD",
            "tierMinimumUnits": 0.0,
            "retailPrice": 0.00012,
            "armRegionName": "westeurope",
            "effectiveStartDate": "2025-01-01T00:00:00Z",
            "meterName": "gpt-4o-mini-0718-Inp-glbl Tokens",
            "productName": "Azure OpenAI",
            "unitOfMeasure": "1K",
            "type": "Consumption",
        }
    ],
    "NextPageLink": None,
}
FIVE_MISTAKES = """[[rate]]
model = "gpt-4o-mini"
meter = "input"
price = 0.15
per = 1500
currency = "USX"
effective_from = 2026-01-01
source = "list"
checked_on = "yesterday"

[[rate]]
model = "gpt-4o-mini"
meter = "tokens"
price = "0.60"
per = 1000000
currency = "USD"
effective_from = 2026-01-01
source = "list"
checked_on = 2026-11-21
"""
RULES = """[[discount]]
name = "EA"
percent = "12.5"
model = "gpt-4o"
effective_from = 2026-01-01
source = "agreement"
"""


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["rates", *map(str, arguments)])


def written(folder: Path, name: str, document: Any) -> Path:
    path = folder / name
    text = document if isinstance(document, str) else json.dumps(document)
    path.write_text(text, encoding="utf-8")
    return path


def test_five_mistakes_are_five_lines_with_their_places(tmp_path: Path) -> None:
    path = written(tmp_path, "card.toml", FIVE_MISTAKES)
    found = subprocess.run(
        [sys.executable, "-m", "accountant", "rates", "check", str(path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (found.returncode, found.stdout) == (2, "")
    lines = found.stderr.replace(f"accountant: {path}: ", "").splitlines()
    assert [line.split(": ")[:2] for line in lines] == [
        ["row 1 (line 4)", "price"],
        ["row 1 (line 5)", "per"],
        ["row 1 (line 6)", "currency"],
        ["row 1 (line 9)", "checked_on"],
        ["row 2 (line 13)", "meter"],
    ]


def test_a_sound_card_is_said_to_be_so() -> None:
    result = run("check", "accountant/rates")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "accountant: no problem: 23 rates in USD, 0 rules\n"


def test_files_are_checked_as_one_card(tmp_path: Path) -> None:
    card = written(tmp_path, "b.csv", run("show", "--format", "csv").stdout)
    result = run("check", "accountant/rates", card)
    assert result.exit_code == 2
    assert result.stderr.count("overlaps") == 23


def test_what_is_shown_as_csv_is_a_card_again(tmp_path: Path) -> None:
    shown = run("show", "--format", "csv").stdout
    card = written(tmp_path, "card.csv", shown)
    assert run("show", "--format", "csv", "--rates", card).stdout == shown


def test_a_table_has_a_row_a_rate_and_a_row_a_rule(tmp_path: Path) -> None:
    written(tmp_path, "rates.csv", run("show", "--format", "csv").stdout)
    written(tmp_path, "rules.toml", RULES)
    shown = run("show", "--rates", tmp_path, "--model", "gpt-4o").stdout
    rows = [" ".join(line.split()) for line in shown.splitlines()]
    assert rows[3].startswith("gpt-4o 2024-11-20, standard, global, default input 2.5 USD 1M 2026-")
    assert rows[-1] == "EA gpt-4o -12.5% 2026-01-01 agreement"


def test_csv_says_that_it_leaves_rules_out(tmp_path: Path) -> None:
    written(tmp_path, "rates.csv", run("show", "--format", "csv").stdout)
    written(tmp_path, "rules.toml", RULES)
    shown = run("show", "--rates", tmp_path, "--format", "csv")
    assert shown.stdout == (tmp_path / "rates.csv").read_text()
    assert shown.stderr.startswith("accountant: 1 discounts and mark-ups are left out")


def test_a_table_of_rules_alone_is_not_a_card(tmp_path: Path) -> None:
    written(tmp_path, "rules.toml", RULES)
    assert run("show", "--rates", tmp_path).exit_code == 2


def test_many_kinds_of_what_was_left_out_are_cut(tmp_path: Path) -> None:
    prices = {"input_mtok": 1, **{f"unit_{number}": 1 for number in range(12)}}
    document = [{"id": "azure", "models": [{"id": "m", "prices": prices}]}]
    result = run("import", "genai-prices", written(tmp_path, "data.json", document))
    assert result.stderr.count("left out the unit") == 10
    assert "left out 2 more kinds" in result.stderr


def test_an_export_too_large_to_be_one_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "data.json"
    with path.open("wb") as file:
        file.truncate(256_000_001)
    result = run("drift", path)
    assert (result.exit_code, result.stderr) == (2, f"accountant: {path}: is larger than 256 MB\n")


def test_json_has_rates_and_rules(tmp_path: Path) -> None:
    written(tmp_path, "rates.csv", run("show", "--format", "csv", "--model", "gpt-4o").stdout)
    written(tmp_path, "rules.toml", RULES)
    found = json.loads(run("show", "--rates", tmp_path, "--format", "json").stdout)
    first = found["rates"][0]
    assert (first["meter"], first["price"], first["per"]) == ("input", "2.5", 1_000_000)
    assert found["rules"] == [
        {
            "kind": "discount",
            "name": "EA",
            "model": "gpt-4o",
            "effective_from": "2026-01-01",
            "source": "agreement",
            "percent": "12.5",
        }
    ]


def test_what_does_not_hold_on_the_day_is_not_shown() -> None:
    assert run("show", "--at", "2026-01-01").exit_code == 0
    result = run("show", "--at", "2025-12-31")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "accountant: the card has no such rate\n"


@pytest.mark.parametrize("suffix", ["toml", "csv"])
def test_what_is_imported_prices_nothing_until_a_person_removes_the_mark(
    tmp_path: Path, suffix: str
) -> None:
    export, out = written(tmp_path, "data.json", GENAI), tmp_path / f"draft.{suffix}"
    result = run("import", "genai-prices", export, "--out", out, "--checked-on", "2026-11-20")
    assert result.exit_code == 0
    assert "left out the unit x_mtok (1 of them)" in result.stderr
    assert "2 drafts" in result.stderr
    checked = run("check", out)
    assert (checked.exit_code, "2 drafts price nothing" in checked.stderr) == (0, True)
    mark = "draft = true\n" if suffix == "toml" else ",true\n"
    out.write_text(out.read_text().replace(mark, "\n" if suffix == "toml" else ",\n"))
    assert "2 rates in USD" in run("check", out).stderr
    assert "2026-11-20" in run("show", "--rates", out).stdout


def test_drafts_go_to_stdout_and_are_dated_by_their_file(tmp_path: Path) -> None:
    export = written(tmp_path, "page.json", [RETAIL])
    os.utime(export, (1_790_000_000, 1_790_000_000))
    shown = run("import", "retail", export).stdout
    assert shown.startswith("# Drafts from page.json (retail). They price nothing.\n")
    assert 'source = "Azure Retail Prices API, gpt-4o-mini-0718-Inp-glbl Tokens"' in shown
    assert "checked_on = 2026-09-21\ndraft = true" in shown
    assert "effective_from = 2025-01-01" in shown


def test_without_a_price_that_can_be_read_there_is_no_file(tmp_path: Path) -> None:
    export, out = written(tmp_path, "page.json", {"Items": []}), tmp_path / "draft.toml"
    result = run("import", "retail", export, "--out", out)
    assert (result.exit_code, out.exists()) == (1, False)


@pytest.mark.parametrize(
    ("source", "document", "problem"),
    [
        ("retail", GENAI, "is not an export of the Azure Retail Prices API"),
        ("genai-prices", RETAIL, "is not data.json of genai-prices"),
        ("retail", {"Items": 3}, "is not an export"),
        ("retail", "[" * 100_000, "is not JSON"),
        ("retail", "{", "is not JSON"),
    ],
)
def test_what_is_no_export_is_refused_in_one_line(
    tmp_path: Path, source: str, document: Any, problem: str
) -> None:
    result = run("import", source, written(tmp_path, "x.json", document))
    assert (result.exit_code, result.stdout) == (2, "")
    assert problem in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    result = run("drift", tmp_path / "no.json")
    assert (result.exit_code, result.stderr) == (
        2,
        f"accountant: {tmp_path}/no.json: cannot be read: No such file or directory\n",
    )


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    export = written(tmp_path, "data.json", GENAI)
    result = run("import", "genai-prices", export, "--out", export / "draft.toml")
    assert result.exit_code == 2
    assert "cannot write" in result.stderr


def test_prices_that_agree_are_no_drift(tmp_path: Path) -> None:
    export = written(tmp_path, "data.json", GENAI)
    found = run("drift", export, "--checked-on", "2026-11-20")
    assert found.exit_code == 0
    assert "2 prices compared as of 2026-11-20, 0 differ" in found.stderr


def test_a_day_on_which_nothing_can_be_compared_is_no_agreement(tmp_path: Path) -> None:
    export = written(tmp_path, "data.json", GENAI)
    found = run("drift", export, "--checked-on", "2026-11-20", "--at", "2026-11-19")
    assert (found.exit_code, "0 prices compared" in found.stderr) == (1, True)


def test_a_price_that_differs_is_listed_with_its_row(tmp_path: Path) -> None:
    result = run("drift", written(tmp_path, "page.json", RETAIL))
    assert result.exit_code == 1
    assert result.stdout.splitlines()[0].endswith(
        "azure-openai-global.toml: row 1 (line 16): input of gpt-4o-mini, 2024-07-18, standard, "
        "global, default: 0.15 USD/1M here, 0.12 USD/1M there "
        "(Azure Retail Prices API, gpt-4o-mini-0718-Inp-glbl Tokens)"
    )


def test_a_day_that_is_none_is_refused() -> None:
    result = run("show", "--at", "1.10.2026")
    assert (result.exit_code, result.stderr) == (
        2,
        "accountant: --at: '1.10.2026' is not a day; write it as YYYY-MM-DD, such as 2026-10-01\n",
    )


def test_a_reader_that_leaves_and_a_full_disk_are_no_tracebacks() -> None:
    command = f"{sys.executable} -m accountant rates show"
    for script, code, told in (
        (f"{command} >/dev/full", 2, "accountant: cannot write to stdout: No space left"),
        (f"set -o pipefail; {command} --format csv | true", 141, ""),
    ):
        found = subprocess.run(
            ["/bin/bash", "-c", script], capture_output=True, text=True, check=False
        )
        assert found.returncode == code
        assert found.stderr.startswith(told)


def test_help_imports_neither_pandas_nor_pydantic() -> None:
    told = (
        "import sys; from accountant.cli import app;"
        "print({'pandas', 'pydantic', 'duckdb', 'azure'} & {*sys.modules})"
    )
    found = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert found.stdout == "set()\n"
