"""What a shell completes, as bash, zsh and fish ask for it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from accounting import apply_on_redis, empty_redis
from builders import event
from typer.testing import CliRunner

from accountant.cli import app

pytest_plugins = ["servers"]

DATABASE = 1  # of its own, beside those of other tests
UNREACHABLE = "redis://127.0.0.1:1/0"


def completed(*words: str, redis_url: str = UNREACHABLE) -> list[str]:
    """What bash offers for the last word."""
    env = {
        "_ACCOUNTANT_COMPLETE": "complete_bash",
        "COMP_WORDS": " ".join(("accountant", *words)),
        "COMP_CWORD": str(len(words)),
        "TOLLGATE_REDIS_URL": redis_url,
    }
    return CliRunner().invoke(app, env=env, prog_name="accountant").stdout.split()


def test_commands_and_options_are_completed() -> None:
    assert completed("rep") == ["report"]
    assert completed("rates", "") == ["show", "check", "import", "drift"]
    assert completed("report", "2026-10", "--for") == ["--format"]


def test_formats_are_completed() -> None:
    assert completed("report", "2026-10", "--format", "c") == ["csv"]
    assert completed("audit", "2026-10", "--format", "j") == ["json"]


def test_fields_are_completed_one_after_the_other() -> None:
    assert completed("report", "2026-10", "--by", "m") == ["model"]
    assert completed("report", "2026-10", "--by", "tenant,") == [
        f"tenant,{each}" for each in ("billing-code", "model", "user", "region")
    ]


def test_the_last_twelve_months_are_offered() -> None:
    offered = completed("report", "")
    assert len(offered) == 12
    assert offered[0] == f"{datetime.now(UTC):%Y-%m}"  # noqa: TID251  as the shell does
    assert offered == sorted(offered, reverse=True)


def test_tenants_are_those_of_the_ledger(redis_server: str) -> None:
    url = empty_redis(f"{redis_server}/{DATABASE}")
    apply_on_redis(url, [event(name, tenant=name) for name in ("contoso", "fabrikam")])
    words = ("report", "2026-10", "--tenant")
    assert completed(*words, "", redis_url=url) == ["contoso", "fabrikam"]
    assert completed(*words, "f", redis_url=url) == ["fabrikam"]
    assert completed("report", "--redis-url", url, "--tenant", "c") == ["contoso"]


@pytest.mark.parametrize("url", ["", UNREACHABLE, "http://x"])
def test_without_a_ledger_no_tenant_is_offered_and_nothing_said(url: str) -> None:
    assert completed("report", "2026-10", "--tenant", "", redis_url=url) == []


@pytest.mark.parametrize(
    ("shell", "told"),
    [
        ("bash", "complete -o default -F _accountant_completion accountant"),
        ("zsh", "#compdef accountant"),
        ("fish", "complete --command accountant"),
    ],
)
def test_a_script_is_made_for_every_shell(
    shell: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    env = {"_ACCOUNTANT_COMPLETE": f"source_{shell}"}
    assert told in CliRunner().invoke(app, env=env, prog_name="accountant").stdout
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")
    shown = subprocess.run(
        [Path(sys.executable).parent / "accountant", "--show-completion", shell],
        capture_output=True,
        text=True,
        check=True,
    )
    assert told in shown.stdout


def test_bash_completes_with_the_script(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Path(sys.executable).parent
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    script = """
        eval "$(_ACCOUNTANT_COMPLETE=source_bash accountant)"
        COMP_WORDS=(accountant report 2026-10 --format c) COMP_CWORD=4
        _accountant_completion accountant; echo "${COMPREPLY[@]}"
    """
    bash = shutil.which("bash") or "/bin/bash"
    shown = subprocess.run([bash, "-c", script], capture_output=True, text=True, check=True)
    assert shown.stdout == "csv\n"
