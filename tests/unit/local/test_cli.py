from __future__ import annotations

import functools
import io
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from builders import raw_event

from tollgate.events.segments import try_lock
from tollgate.local import cli

pytest_plugins = ["servers"]

SAMPLE = Path(__file__).parents[3] / "tollgate.sample.yaml"


COMMANDS: dict[tuple[str, ...], list[str]] = {
    (): ["serve", "gateway", "demo", "ingest", "dead-letters", "config"],
    ("serve",): ["--port", "--data", "--strict", "TOLLGATE_CONFIG", "TOLLGATE_REDIS_URL"],
    ("gateway",): ["--host", "--port", "TOLLGATE_CONFIG", "TOLLGATE_REDIS_URL"],
    ("demo",): ["statement"],
    ("ingest",): ["--batch-size", "--strict", "TOLLGATE_REDIS_URL", "standard input"],
    ("dead-letters",): ["list", "show", "replay"],
    ("dead-letters", "list"): ["--reason", "--since", "--kind", "--blobs", "--limit", "--format"],
    ("dead-letters", "show"): ["ID", "--blobs", "--format"],
    ("dead-letters", "replay"): ["again", "ID", "--source", "--blobs"],
    ("config",): ["check"],
    ("config", "check"): ["TOLLGATE_CONFIG"],
}


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_names_what_there_is_in_plain_words(run: Any, command: tuple[str, ...]) -> None:
    said = run(*command, "--help")
    assert said.code == 0
    assert not [word for word in COMMANDS[command] if word not in said.out]
    several = ("ARGS]...", "{FILE}...", "[ID]...")
    said.out = functools.reduce(lambda text, name: text.replace(name, ""), several, said.out)
    assert "..." not in said.out


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
    assert (
        notes[0]
        == "note: tenants: limits.tokens_per_minute of 'contoso' is read, but not enforced yet"
    )


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
    assert said.code == 1
    assert said.out == "1 counted; 1 known already; 1 refused, see: tollgate dead-letters list\n"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\n")))
    said = run("ingest", "-")
    assert (said.code, said.out) == (0, "no events\n")


@pytest.mark.usefixtures("redis_url")
def test_an_event_in_conflict_with_a_counted_one_makes_the_answer_no(
    run: Any, tmp_path: Path
) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(raw_event("req-1"))
    assert run("ingest", str(file)).code == 0
    file.write_bytes(raw_event("req-1", user="mallory"))
    said = run("ingest", str(file))
    assert (said.code, said.out) == (1, "1 in conflict with a known one, kept aside\n")


@pytest.mark.usefixtures("redis_url")
def test_a_redis_that_is_no_place_for_a_ledger_is_refused_when_strict(
    run: Any, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(raw_event())
    warned = "the ledger's Redis: appendonly is no, not yes"
    assert run("ingest", str(file)).code == 0
    assert warned in caplog.text
    for command in (["ingest", str(file)], ["serve", "--port", "0", "--data", str(tmp_path)]):
        said = run(*command, "--strict")
        assert (said.code, said.out) == (2, "")
        assert f"tollgate: {warned}" in said.err


def test_a_folder_that_cannot_be_used_is_one_line(run: Any, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    said = run("serve", "--data", str(file), "--port", "0")
    assert (said.code, len(said.err.splitlines())) == (2, 1)
    assert said.err.startswith(f"tollgate: {file}")


def test_data_that_another_serve_uses_is_one_line(run: Any, tmp_path: Path) -> None:
    held = try_lock(tmp_path / "serve.lock")
    assert held is not None
    said = run("serve", "--data", str(tmp_path), "--port", "0")
    os.close(held)
    assert (said.code, said.out) == (2, "")
    assert said.err == (
        f"tollgate: {tmp_path} is in use by another tollgate serve; choose another --data\n"
    )


def test_a_package_that_is_not_installed_is_named(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("demo", "demo_calls"):
        monkeypatch.delitem(sys.modules, f"tollgate.local.{module}", raising=False)
    monkeypatch.setitem(sys.modules, "openai", None)
    said = run("demo")
    assert (said.code, said.out) == (2, "")
    assert said.err == (
        "tollgate: this command needs the package openai; install tollgate[local]\n"
    )


def test_a_module_of_ours_that_is_missing_is_a_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tollgate.local.demo", None)
    monkeypatch.setattr(sys, "argv", ["tollgate", "demo"])
    with pytest.raises(ModuleNotFoundError):
        cli.main()
