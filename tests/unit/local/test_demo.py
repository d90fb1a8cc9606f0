from __future__ import annotations

import sys

import pytest

from tollgate.local.demo import demo


async def test_what_a_short_demo_sends_is_what_it_bills(capsys: pytest.CaptureFixture[str]) -> None:
    assert await demo(calls=14)
    said = capsys.readouterr().out
    assert "14 requests sent, 14 events counted" in said
    assert "half way: weu-1 answers 429" in said


async def test_a_demo_that_nobody_reads_goes_on_to_its_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def closed(_: str) -> int:
        raise BrokenPipeError

    monkeypatch.setattr(sys.stdout, "write", closed)
    monkeypatch.setattr("os.dup2", max)  # the stdout of the test stays
    assert await demo(calls=2)
