from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from accounting import apply_on_redis
from builders import event
from metrics_service import resource_id
from reconciling import (
    csv_text,
    invoice_row,
    meter_row,
    metrics_json,
)
from reconciling_cli import COUNTED, PAID, given, run

from accountant.commands import reconcile_reading
from tollgate.usage.tokens import Tokens

pytest_plugins = ["servers", "reconciling_cli"]


def test_a_month_that_agrees_exits_0(ledger: str, files: Mapping[str, str]) -> None:
    result = run(ledger, *given(files, *files))
    assert (result.exit_code, result.stderr) == (0, "")
    assert "All 6 lines agree." in result.stdout
    assert "All 5 lines agree." in result.stdout


def test_an_unexplained_difference_exits_1(ledger: str, files: Mapping[str, str]) -> None:
    apply_on_redis(ledger, [event("late", datetime(2026, 10, 15, 1, tzinfo=UTC))])
    result = run(ledger, *given(files, "--metrics"))
    assert result.exit_code == 1
    assert "Unexplained: 3 of 6 lines, 1,120 tokens, 1 requests." in result.stdout


def test_a_tolerance_lets_it_pass(ledger: str, files: Mapping[str, str]) -> None:
    tokens = Tokens(input=1000, output=100)
    apply_on_redis(ledger, [event("late", datetime(2026, 10, 15, 1, tzinfo=UTC), tokens=tokens)])
    options = given(files, "--invoice", "--rates")
    assert run(ledger, *options).exit_code == 1
    result = run(ledger, *options, "--tolerance-percent", "0.1", "--format", "json")
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert (found["tolerance_percent"], found["agrees"]) == ("0.1", True)


def test_a_difference_that_is_explained_exits_0(ledger: str, files: Mapping[str, str]) -> None:
    unknown: dict[str, Any] = {"provenance": "unknown", "tokens": None}
    apply_on_redis(ledger, [event("4", datetime(2026, 10, 16, 12, tzinfo=UTC), **unknown)])
    more = [*PAID, invoice_row(Date="2026-10-16", ResourceId=resource_id("direct-1"))]
    Path(files["--invoice"]).write_text(csv_text(more))
    result = run(ledger, *given(files, "--invoice", "--rates"))
    assert result.exit_code == 0
    assert "direct +1,000" in result.stdout
    assert "No backend of the ledger has the name of direct-1." in result.stdout


def test_azure_monitor_tells_the_invoice_of_blocked_prompts(
    ledger: str, files: Mapping[str, str], tmp_path: Path
) -> None:
    billed = [*PAID, meter_row("input", 1_500, "0.15", Date="2026-10-16")]
    Path(files["--invoice"]).write_text(csv_text(billed))
    assert run(ledger, *given(files, "--invoice", "--rates")).exit_code == 1
    blocked = tmp_path / "blocked.json"
    blocked.write_text(metrics_json(("AzureOpenAIRequests", "2026-10-16", 2), status="400"))
    more = ("--metrics", str(blocked), "--format", "csv")
    result = run(ledger, *given(files, *files), *more)
    assert result.exit_code == 0
    assert ",blocked_prompts 1500 0.000225\n" in result.stdout


def test_a_month_without_usage_says_so_and_exits_1(ledger: str, files: Mapping[str, str]) -> None:
    result = run(ledger, *given(files, "--metrics"), period="2026-09")
    assert (result.exit_code, result.stderr) == (1, "accountant: no usage in 2026-09\n")
    assert "Nothing to compare." in result.stdout


def test_a_map_tells_our_names(ledger: str, files: Mapping[str, str], tmp_path: Path) -> None:
    names = tmp_path / "map.toml"
    names.write_text('[[resource]]\nid = "aoai-prod"\nbackend = "weu-1"\n')
    renamed = Path(files["--metrics"]).read_text().replace("weu-1", "aoai-prod")
    Path(files["--metrics"]).write_text(renamed)
    assert run(ledger, *given(files, "--metrics")).exit_code == 1
    assert run(ledger, *given(files, "--metrics"), "--map", str(names)).exit_code == 0


@pytest.mark.parametrize(("layout", "suffix"), [("table", "txt"), ("csv", "csv"), ("json", "json")])
def test_it_is_written_to_a_file(
    ledger: str, files: Mapping[str, str], tmp_path: Path, layout: str, suffix: str
) -> None:
    out = tmp_path / "new" / "out"
    options = (*given(files, "--metrics"), "--format", layout)
    result = run(ledger, *options, "--out", str(out))
    path = out / f"reconcile-2026-10.{suffix}"
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == f"accountant: wrote {path}\n"
    assert path.read_text() == run(ledger, *options).stdout
    assert [*out.iterdir()] == [path]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ((), "compare with what? Give --invoice FILE, --metrics FILE, --monitor or --workspace"),
        (("--monitor",), "--monitor needs --map with a [[resource]] for each account"),
        (("--workspace", "logs"), "--workspace: it is no GUID; take the Workspace ID"),
        (("--monitor", "--tolerance-percent", "1,5"), "--tolerance-percent: '1,5' is no number"),
        (("--monitor", "--tolerance-percent", "101"), "--tolerance-percent: '101' is no number"),
        (("--map", "none.toml", "--monitor"), "none.toml: cannot be read: No such file"),
    ],
)
def test_what_was_typed_is_looked_at(ledger: str, options: tuple[str, ...], told: str) -> None:
    result = run(ledger, *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"accountant: {told}")


def test_every_problem_of_the_options_is_told(ledger: str) -> None:
    result = run(ledger, "--true-up", "unallocated")
    assert len(result.stderr.splitlines()) == 3
    assert run(ledger, "--monitor", "--accounts", "a").stderr.endswith("are of --true-up\n")


def test_every_problem_of_every_file_is_told(ledger: str, tmp_path: Path) -> None:
    bad, worse = tmp_path / "bad.csv", tmp_path / "worse.json"
    bad.write_text(csv_text([invoice_row(Date="?"), invoice_row(Quantity="1,5")]))
    worse.write_text("{")
    options = ("--metrics", str(worse), "--invoice", str(bad), "--invoice", str(tmp_path / "none"))
    result = run(ledger, *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert [line.partition(f"{tmp_path}/")[2][:20] for line in result.stderr.splitlines()] == [
        *("worse.json: is not J", "bad.csv: line 2: day", "bad.csv: line 3: qua"),
        "none: cannot be read",
    ]


def test_an_unreachable_ledger_is_one_line(files: Mapping[str, str]) -> None:
    result = run("redis://127.0.0.1:1/0", *given(files, "--metrics"))
    assert (result.exit_code, len(result.stderr.splitlines())) == (2, 1)


def test_azure_monitor_and_the_log_are_asked(ledger: str, monkeypatch: pytest.MonkeyPatch) -> None:
    document = metrics_json(*COUNTED).encode()
    day = datetime(2026, 10, 15, tzinfo=UTC)
    log = {"Day": day, "DeploymentName": "gpt-4o-mini", "PromptTokens": 3_000_000}
    rows = [
        {**log, "CompletionTokens": 100_000, "Requests": 2},
        {
            **log,
            "Day": day.replace(day=16),
            "PromptTokens": 1000,
            "CompletionTokens": 10,
            "Requests": 1,
        },
    ]
    asked = {
        "monitor_documents": Mock(return_value=[document]),
        "log_rows": Mock(return_value=rows),
    }
    for name, answer in asked.items():
        monkeypatch.setattr(reconcile_reading, name, answer)
    result = run(ledger, "--monitor", "--workspace", "guid")
    assert result.exit_code == 0
    assert "Ledger against Azure Monitor, 2026-10 (UTC): as asked\n" in result.stdout
    assert "Ledger against the gateway's log, 2026-10 (UTC): workspace guid\n" in result.stdout
    assert result.stdout.count("All 6 lines agree.") == 2
