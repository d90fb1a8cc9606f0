from __future__ import annotations

import re
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from builders import NOON, raw_event

from tollgate.events.refused import read_refused, set_aside

pytest_plugins = ["servers"]


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
    shown = run("dead-letters", "show", letter_id)
    assert shown.out == "\x1b[31m [bold]rubbish\n"
    assert shown.err.startswith("from file events.jsonl, 2")
    assert "UTC: " in shown.err
    assert "JSON is malformed" in shown.err
    replayed = run("dead-letters", "replay")
    assert (replayed.code, replayed.out) == (1, "1 refused, see: tollgate dead-letters list\n")
    assert letter_id in run("dead-letters", "list").out


@pytest.mark.usefixtures("redis_url")
def test_the_reason_is_listed_whole_however_narrow_the_place(
    run: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(raw_event(billing_code="C" * 300))
    run("ingest", str(file))
    letter_id = re.findall(r"[0-9a-f]{16}", run("dead-letters", "list").out)[0]
    reason = run("dead-letters", "show", letter_id).err.partition(" UTC: ")[2]
    monkeypatch.setenv("COLUMNS", "80")
    listed = run("dead-letters", "list").out
    rows = [line.split("│") for line in listed.splitlines() if line.startswith("│")]
    assert _squeezed("".join(row[4] for row in rows)) == _squeezed(reason)


def _squeezed(text: str) -> str:
    return "".join(text.split())


@pytest.mark.usefixtures("redis_url")
def test_what_the_topic_refused_is_listed_shown_and_sent_again(
    run: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TOLLGATE_JOURNAL", str(tmp_path))
    set_aside(tmp_path, raw_event("req-1"))
    set_aside(tmp_path, b"rubbish")
    listed = run("dead-letters", "list").out
    assert listed.count("event-grid-refused") == 2
    letter_id = re.findall(r"[0-9a-f]{16}", listed)[0]
    shown = run("dead-letters", "show", letter_id)
    assert shown.err.endswith(": the Event Grid topic refused it\n")
    replayed = run("dead-letters", "replay")
    assert (replayed.code, replayed.out.partition(",")[0]) == (1, "1 counted; 1 refused")
    assert read_refused(tmp_path) == []
    assert run("dead-letters", "list").out.count("event-grid-refused") == 1


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
