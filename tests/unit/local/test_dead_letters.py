from __future__ import annotations

import json
import re
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from builders import NOON, raw_event

from tollgate.connections.redis import open_redis_sync
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


def _ids(listed: str) -> list[str]:
    return re.findall(r"[0-9a-f]{16}", listed)


def _ingest(run: Any, folder: Path, *lines: bytes, name: str = "events.jsonl") -> None:
    file = folder / name
    file.write_bytes(b"".join(line + b"\n" for line in lines))
    run("ingest", str(file))


@pytest.mark.usefixtures("redis_url")
def test_letters_are_chosen_by_reason_source_and_time(run: Any, tmp_path: Path) -> None:
    _ingest(run, tmp_path, b"rubbish", name="a.jsonl")
    _ingest(run, tmp_path, raw_event(user="\0"), name="b.jsonl")
    chosen = {
        ("--reason", "JSON"): "file a.jsonl",
        ("--reason", "control characters"): "file b.jsonl",
        ("--source", "FILE B"): "file b.jsonl",
    }
    for options, source in chosen.items():
        listed = run("dead-letters", "list", *options).out
        assert source in listed
        assert len(_ids(listed)) == 1
    for since, count in {"1h": 2, "2026-01-01": 2, "2999-01-01T00:00+02:00": 0}.items():
        assert len(_ids(run("dead-letters", "list", "--since", since).out)) == count
    assert run("dead-letters", "list", "--since", "yesterday").code == 2


@pytest.mark.usefixtures("redis_url")
def test_only_those_that_are_chosen_are_sent_again(run: Any, tmp_path: Path) -> None:
    _ingest(run, tmp_path, b"one", b"two", b"three")
    first, second, _ = _ids(run("dead-letters", "list").out)
    said = run("dead-letters", "replay", first, second)
    assert (said.code, said.out) == (1, "2 refused, see: tollgate dead-letters list\n")
    said = run("dead-letters", "replay", first, "0" * 16)
    assert said.code == 2
    assert said.err.startswith("tollgate: there is no dead letter '0000000000000000'")
    assert run("dead-letters", "replay", "--source", "elsewhere").out == "no events\n"


@pytest.mark.usefixtures("redis_url")
def test_a_list_for_programs_is_one_object(run: Any, tmp_path: Path) -> None:
    _ingest(run, tmp_path, *(b"rubbish %d" % number for number in range(9)))
    listed = json.loads(run("dead-letters", "list", "--format", "json", "--limit", "2").out)
    assert (listed["kind"], len(listed["rows"]), listed["matching"]) == ("refused", 2, 9)
    assert (listed["held"]["letters"], listed["held"]["full"]) == (9, False)
    assert listed["aside"] == {"conflicts": 0, "late": 0}
    row = listed["rows"][0]
    shown = json.loads(run("dead-letters", "show", row["id"], "--format", "json").out)
    assert shown["body"].startswith("rubbish ")
    assert (shown["id"], shown["reason"]) == (row["id"], row["reason"])


@pytest.mark.usefixtures("redis_url")
def test_a_long_list_says_what_it_leaves_out(run: Any, tmp_path: Path) -> None:
    _ingest(run, tmp_path, *(b"rubbish %d" % number for number in range(9)))
    listed = run("dead-letters", "list", "--limit", "3").out
    assert len(_ids(listed)) == 3
    assert listed.endswith("6 more are not shown, see: --limit\n")


@pytest.mark.usefixtures("redis_url")
def test_event_grids_own_dead_letters_are_listed_shown_and_sent_again(
    run: Any, tmp_path: Path
) -> None:
    why = {"deadletterreason": "MaxDeliveryAttemptsExceeded", "deliveryattempts": 30}
    event = {**json.loads(raw_event("req-1")), **why}
    blobs = tmp_path / "blobs"
    blobs.mkdir()
    (blobs / "letters.json").write_text(json.dumps([event, {"id": "rubbish"}]))
    listed = run("dead-letters", "list", "--blobs", str(blobs)).out
    assert listed.count("event-grid-dead-letter") == 2
    assert "MaxDeliveryAttemptsExceeded, after 30 attempts" in listed
    letter_id = next(line for line in listed.splitlines() if "30 attempts" in line).split()[1]
    shown = run("dead-letters", "show", letter_id, "--blobs", str(blobs)).out
    assert json.loads(shown) == event
    replayed = run("dead-letters", "replay", "--blobs", str(blobs))
    assert (replayed.code, replayed.out.partition(",")[0]) == (1, "1 counted; 1 refused")
    again = run("dead-letters", "replay", letter_id, "--blobs", str(blobs))
    assert (again.code, again.out) == (0, "1 known already\n")


@pytest.mark.usefixtures("redis_url")
def test_conflicts_and_late_events_are_listed_apart_and_never_sent_again(
    run: Any, tmp_path: Path
) -> None:
    conflict = raw_event("req-1", status=201)
    _ingest(run, tmp_path, raw_event("req-1"), conflict)
    said = run("dead-letters", "list").out
    assert said == "no dead letters\nin conflict, kept by the ledger: 1; see: --kind conflict\n"
    listed = run("dead-letters", "list", "--kind", "conflict").out
    assert "ledger of contoso" in listed
    assert run("dead-letters", "show", _ids(listed)[0]).out.encode() == conflict + b"\n"
    assert run("dead-letters", "list", "--kind", "late").out == "no late events\n"
    assert run("dead-letters", "replay").out == "no events\n"
    assert run("dead-letters", "replay", _ids(listed)[0]).code == 2


@pytest.mark.usefixtures("redis_url")
def test_what_the_ledger_keeps_of_an_older_version_is_still_shown(run: Any, redis_url: str) -> None:
    with open_redis_sync(redis_url) as redis:
        redis.sadd("tollgate:tenants", "contoso")
        redis.hset("tollgate:{contoso}:late", "key", "old")
    assert "late, kept by the ledger: 1; see: --kind late" in run("dead-letters", "list").out
    listed = run("dead-letters", "list", "--kind", "late").out
    assert "1970-01-01" in listed
    assert run("dead-letters", "show", _ids(listed)[0]).out == "old\n"


@pytest.mark.usefixtures("redis_url")
def test_a_letter_that_was_cut_is_shown_as_such_and_stays(run: Any, tmp_path: Path) -> None:
    _ingest(run, tmp_path, b"x" * 1_000_001)
    listed = run("dead-letters", "list").out
    assert "1000001" in listed
    assert "only the first 65,536 of 1,000,001 bytes" in (
        run("dead-letters", "show", _ids(listed)[0]).err
    )
    assert run("dead-letters", "replay").code == 1
    assert len(_ids(run("dead-letters", "list").out)) == 1


@pytest.mark.usefixtures("redis_url")
def test_what_a_full_store_did_not_keep_is_told(run: Any, redis_url: str) -> None:
    with open_redis_sync(redis_url) as redis:
        redis.set("{tollgate:dead_letters}:beyond", 3)
    said = run("dead-letters", "list").out
    assert said == "no dead letters\n3 more were refused when the store was full: not kept\n"


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
