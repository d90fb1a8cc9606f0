from __future__ import annotations

from pathlib import Path

from tollgate.events.refused import forget_refused, read_refused, set_aside


def test_what_comes_while_others_are_sent_again_stays(tmp_path: Path) -> None:
    assert read_refused(tmp_path) == []
    for event in (b"1", b"2"):
        set_aside(tmp_path, event)
    seen = read_refused(tmp_path)
    assert seen == [b"1", b"2"]
    set_aside(tmp_path, b"3")
    for _ in range(2):
        forget_refused(tmp_path, seen)
    assert read_refused(tmp_path) == [b"3"]
    assert {path.name for path in tmp_path.iterdir()} == {"refused.jsonl", "refused.guard"}
