"""What holds for every command, those to come as well."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from accounting import apply_on_redis, empty_redis
from builders import event
from every_command import COMMANDS, MONTH, OF_LEDGER, OF_LEDGERS_MONTH, OF_MONTH, Command
from typer.testing import CliRunner, Result

from accountant.cli import app
from accountant.commands.examples import EXAMPLES

pytest_plugins = ["servers"]

DATABASE = 2  # of its own, beside those of other tests
UNREACHABLE = "redis://:geheim@127.0.0.1:1/0"
# What only a command that needs it may load; those of Azure none may, unless it asks Azure.
HEAVY = {"azure", "duckdb", "fastavro", "matplotlib", "numpy", "openpyxl", "pandas", "xlsxwriter"}
NEEDS = {"export": {"duckdb"}}


def name_of(command: Command) -> str:
    return command.name


def every(commands: list[Command]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("command", commands, ids=name_of)


def run(*arguments: str, redis_url: str = UNREACHABLE) -> Result:
    return CliRunner().invoke(app, arguments, env={"TOLLGATE_REDIS_URL": redis_url})


@pytest.fixture
def ledger(redis_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of a ledger with usage in October, which is the environment's as well."""
    url = empty_redis(f"{redis_server}/{DATABASE}")
    apply_on_redis(url, [event("1", scope="global")])
    monkeypatch.setenv("TOLLGATE_REDIS_URL", url)
    return url


@every(COMMANDS)
def test_help_has_an_example_that_can_be_typed(command: Command) -> None:
    shown = run(*command.words, "--help")
    assert shown.exit_code == 0
    assert EXAMPLES.get(command.name), f"put an example of {command.name} into examples.py"
    for example in EXAMPLES[command.name]:
        assert f"\n    accountant {example}\n" in shown.stdout
        assert example.startswith(f"{command.name} ")
        words = shlex.split(example.removeprefix(command.name))
        command.click.make_context(command.name, words)  # raises what typing it would


@every(COMMANDS)
def test_an_unknown_option_is_bad_usage(command: Command, tmp_path: Path) -> None:
    result = run(*command.typed(tmp_path), "--no-such-option")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--no-such-option" in result.stderr


@every([each for each in COMMANDS if any(one.required for one in each.click.params)])
def test_what_must_be_typed_is_asked_for(command: Command) -> None:
    assert run(*command.words).exit_code == 2


@every(OF_MONTH)
def test_what_is_no_month_is_refused_in_one_line(command: Command, tmp_path: Path) -> None:
    result = run(*command.typed(tmp_path, month="October"))
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        "accountant: 'October' is not a month; write it as YYYY-MM, for example 2026-10\n"
    )


@every(OF_LEDGER)
def test_an_unreachable_ledger_is_one_line_without_the_password(
    command: Command, tmp_path: Path
) -> None:
    result = run(*command.typed(tmp_path))
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("accountant: Redis: it cannot be reached")
    assert result.stderr.count("\n") == 1
    assert "geheim" not in result.stderr


@every(OF_LEDGER)
def test_without_a_ledger_it_says_what_to_set(command: Command, tmp_path: Path) -> None:
    result = run(*command.typed(tmp_path), redis_url="")
    assert result.exit_code == 2
    assert result.stderr.startswith("accountant: which ledger? Set TOLLGATE_REDIS_URL, or give")


@every([each for each in OF_LEDGERS_MONTH if each.has("--format")])
@pytest.mark.parametrize("layout", ["html", "xlsx", "md", "pdf"])
def test_a_format_is_written_or_refused(
    layout: str, command: Command, tmp_path: Path, ledger: str
) -> None:
    out = tmp_path / "out"
    arguments = [*command.typed(tmp_path), "--format", layout]
    more = [] if "--out" in arguments or not command.has("--out") else ["--out", str(out)]
    result = run(*arguments, *more, redis_url=ledger)
    if result.exit_code == 2:
        assert "--format" in result.stderr
    else:
        assert {path.suffix for path in out.iterdir()} == {f".{layout}"}


@every(OF_LEDGERS_MONTH)
def test_a_month_without_usage_says_so_and_the_answer_is_no(
    command: Command, tmp_path: Path, ledger: str
) -> None:
    result = run(*command.typed(tmp_path, month="2026-09"), redis_url=ledger)
    assert result.exit_code == 1
    assert re.search(r"^accountant: no usage in .*\b2026-09\b", result.stderr, re.MULTILINE)


@pytest.mark.parametrize(
    "command",
    [each for each in COMMANDS if each in OF_LEDGERS_MONTH or each.name == "rates show"],
    ids=name_of,
)
@pytest.mark.usefixtures("ledger")
def test_it_loads_nothing_that_it_does_not_use(command: Command, tmp_path: Path) -> None:
    told = (
        "import sys; from accountant.cli import app\n"
        "try: app(sys.argv[1:], standalone_mode=False)\n"
        f"finally: print(sorted({HEAVY} & {{*sys.modules}}), file=sys.stderr)"
    )
    words = command.typed(tmp_path)
    found = subprocess.run(
        [sys.executable, "-c", told, *words],
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = found.stderr.splitlines()[-1]
    assert loaded == str(sorted(NEEDS.get(command.name, set())))


@pytest.mark.parametrize(
    "words",
    [
        ["report", MONTH],
        ["report", MONTH, "--format", "json"],
        ["focus", MONTH],
        ["journal", MONTH],
        ["rates", "show"],
        ["audit", MONTH, "--archive", "."],
        ["rebuild", "--archive", ".", "--dry-run"],
    ],
    ids=" ".join,
)
@pytest.mark.usefixtures("ledger")
def test_a_reader_that_left_is_no_problem(words: list[str], tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        found = subprocess.run(
            [sys.executable, "-m", "accountant", *words],
            cwd=tmp_path,
            stdout=writing,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    finally:
        os.close(writing)
    assert (found.returncode, found.stderr) == (141, "")


def test_the_version_is_that_of_the_package() -> None:
    result = run("--version")
    assert (result.exit_code, result.stdout) == (0, "accountant 0.1.0\n")
