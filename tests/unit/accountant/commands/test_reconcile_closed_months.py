from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from accounting import apply_on_redis
from builders import event
from reconciling_cli import given, run
from typer.testing import CliRunner

from accountant.cli import app
from tollgate.usage.tokens import Tokens

pytest_plugins = ["servers", "reconciling_cli"]


def test_a_closed_month_is_compared_as_the_ledger_has_it_now(
    ledger: str, files: Mapping[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOLLGATE_BOOKS", str(tmp_path / "books"))
    typed = ["close", "2026-10", "--by", "ada", "--redis-url", ledger, *given(files, "--rates")]
    assert CliRunner().invoke(app, typed).exit_code == 0
    assert run(ledger, *given(files, *files)).exit_code == 0
    tokens = Tokens(input=1_000_000, output=0)
    apply_on_redis(ledger, [event("late", datetime(2026, 10, 15, 1, tzinfo=UTC), tokens=tokens)])
    result = run(ledger, *given(files, "--invoice", "--rates"), "--format", "csv")
    assert result.exit_code == 1
    late = result.stdout.splitlines()[1]
    assert ",unexplained,3500000,2500000,-1000000,-1000000,USD,0.525,0.375,-0.15,-0.15," in late
