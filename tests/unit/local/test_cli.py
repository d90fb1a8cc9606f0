from __future__ import annotations

import io
import sys
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from builders import NOON, raw_event
from counts import emptied

from tollgate.local import cli

pytest_plugins = ["servers"]

SAMPLE = Path(__file__).parents[3] / "tollgate.sample.yaml"


class Said:
    """What a command said, and how it ended."""

    def __init__(self, capsys: pytest.CaptureFixture[str], *arguments: str) -> None:
        sys.argv = ["tollgate", *arguments]
        with pytest.raises(SystemExit) as ended:
            cli.main()
        self.code = ended.value.code
        self.out, self.err = capsys.readouterr()


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(sys, "argv", sys.argv)
    monkeypatch.setenv("COLUMNS", "200")
    return partial(Said, capsys)


@pytest.fixture
def redis_url(redis_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    url = emptied(f"{redis_server}/13")
    monkeypatch.setenv("TOLLGATE_REDIS_URL", url)
    return url


COMMANDS: dict[tuple[str, ...], list[str]] = {
    (): ["serve", "demo", "ingest", "dead-letters", "config"],
    ("serve",): ["--port", "--data", "TOLLGATE_CONFIG", "TOLLGATE_REDIS_URL"],
    ("demo",): ["statement"],
    ("ingest",): ["--batch-size", "TOLLGATE_REDIS_URL", "standard input"],
    ("dead-letters",): ["list", "show", "replay"],
    ("dead-letters", "list"): ["reason"],
    ("dead-letters", "show"): ["ID"],
    ("dead-letters", "replay"): ["again"],
    ("config",): ["check"],
    ("config", "check"): ["TOLLGATE_CONFIG"],
}


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_names_what_there_is_in_plain_words(run: Any, command: tuple[str, ...]) -> None:
    said = run(*command, "--help")
    assert said.code == 0
    assert not [word for word in COMMANDS[command] if word not in said.out]
    assert "..." not in said.out.replace("ARGS]...", "").replace("{FILE}...", "")


@pytest.mark.parametrize(
    "arguments", [["unheard-of"], ["ingest"], ["ingest", "-", "--batch-size", "0"], ["serve", "x"]]
)
def test_bad_usage_exits_2(run: Any, arguments: list[str]) -> None:
    said = run(*arguments)
    assert said.code == 2
    assert "Usage: tollgate" in said.err


def test_good_settings_are_said_to_be_good(run: Any) -> None:
    said = run("config", "check", str(SAMPLE))
    assert said.code == 0
    good, *notes = said.out.splitlines()
    assert good == f"{SAMPLE} is good; backends: 2, tenants: 1"
    assert notes[0] == "note: tenants: limits of 'contoso' is read, but not enforced yet"


def test_the_settings_that_are_checked_are_those_of_the_environment(
    run: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TOLLGATE_CONFIG", str(SAMPLE))
    assert run("config", "check").code == 0
    monkeypatch.delenv("TOLLGATE_CONFIG")
    monkeypatch.chdir(tmp_path)
    assert run("config", "check").err == (
        "tollgate: tollgate.yaml: cannot be read: No such file or directory\n"
    )


def test_every_problem_of_the_settings_is_a_line(run: Any, tmp_path: Path) -> None:
    file = tmp_path / "t.yaml"
    file.write_text("gateway: {}\nbackends: 3\n")
    said = run("config", "check", str(file))
    assert said.code == 2
    assert said.err.splitlines() == [
        f"tollgate: {file}: gateway.id: is missing",
        f"tollgate: {file}: backends: must be a list",
    ]


@pytest.mark.parametrize("content", [None, b"Obj\x01avro"])
def test_a_file_that_cannot_be_ingested_is_one_line(
    run: Any, redis_url: str, tmp_path: Path, content: bytes | None
) -> None:
    assert redis_url
    file = tmp_path / "events.jsonl"
    if content:
        file.write_bytes(content)
    said = run("ingest", str(file))
    assert (said.code, said.out, len(said.err.splitlines())) == (2, "", 1)
    assert said.err.startswith(f"tollgate: {file}: ")


def test_an_ingest_without_a_ledger_is_one_line(
    run: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(raw_event())
    for url in ("", "nonsense", "redis://127.0.0.1:1"):
        monkeypatch.setenv("TOLLGATE_REDIS_URL", url)
        said = run("ingest", str(file))
        assert (said.code, len(said.err.splitlines())) == (2, 1)
        assert "Redis" in said.err or "TOLLGATE_REDIS_URL" in said.err


@pytest.mark.usefixtures("redis_url")
def test_an_archive_that_cannot_be_written_is_one_line(
    run: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(raw_event())
    monkeypatch.setenv("TOLLGATE_ARCHIVE", str(file))
    said = run("ingest", str(file))
    assert said.code == 2
    assert said.err.startswith("tollgate: the archive did not take the events: ")
    assert len(said.err.splitlines()) == 1


@pytest.mark.usefixtures("redis_url")
def test_ingest_says_what_became_of_the_events(
    run: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(raw_event("req-1") + b"\n" + raw_event("req-1") + b"\nrubbish\n")
    said = run("ingest", str(file))
    assert said.code == 0
    assert said.out == "1 counted; 1 known already; 1 refused, see: tollgate dead-letters list\n"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\n")))
    assert run("ingest", "-").out == "no events\n"


@pytest.mark.usefixtures("redis_url")
def test_dead_letters_are_listed_shown_and_sent_again(run: Any, tmp_path: Path) -> None:
    assert run("dead-letters", "list").out == "no dead letters\n"
    file = tmp_path / "events.jsonl"
    file.write_bytes(b"\x1b[31m [bold]rubbish\n")
    run("ingest", str(file))
    listed = run("dead-letters", "list").out
    assert "file events.jsonl" in listed
    assert "JSON is malformed" in listed
    letter_id = next(word for word in listed.split() if len(word) == 16 and word.isalnum())
    assert run("dead-letters", "show", letter_id).out == "\x1b[31m [bold]rubbish\n"
    assert run("dead-letters", "replay").out == "1 refused, see: tollgate dead-letters list\n"
    assert letter_id in run("dead-letters", "list").out


@pytest.mark.usefixtures("redis_url")
def test_a_dead_letter_that_is_taken_now_leaves_the_list(
    run: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(raw_event())
    with monkeypatch.context() as early:
        early.setattr("tollgate.local.ingest.utc_now", lambda: NOON - timedelta(days=1))
        assert run("ingest", str(file)).out.startswith("1 refused")
    assert run("dead-letters", "replay").out == "1 counted\n"
    assert run("dead-letters", "list").out == "no dead letters\n"
    assert run("dead-letters", "replay").out == "no events\n"


@pytest.mark.usefixtures("redis_url")
def test_a_terminal_is_not_shown_what_it_would_obey(
    run: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "a\x1b[31m.jsonl"
    file.write_bytes(b"\x1b[31m\xff")
    run("ingest", str(file))
    listed = run("dead-letters", "list").out
    assert "\x1b" not in listed
    letter_id = next(word for word in listed.split() if len(word) == 16 and word.isalnum())
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert run("dead-letters", "show", letter_id).out == "?[31m\ufffd\n"


@pytest.mark.usefixtures("redis_url")
def test_an_unknown_dead_letter_is_one_line(run: Any) -> None:
    said = run("dead-letters", "show", "nothing")
    assert said.code == 2
    assert (
        said.err == "tollgate: there is no dead letter 'nothing'; see: tollgate dead-letters list\n"
    )


def test_a_folder_that_cannot_be_used_is_one_line(run: Any, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    said = run("serve", "--data", str(file), "--port", "0")
    assert (said.code, len(said.err.splitlines())) == (2, 1)
    assert said.err.startswith(f"tollgate: {file}")
