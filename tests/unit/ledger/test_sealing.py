"""Sealing by a timer."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from builders import NOON
from ledgers import measured

from tollgate.ledger import sealing
from tollgate.ledger.archive import Archive
from tollgate.ledger.manifest import NAME
from tollgate.ledger.sealing import seal_hourly, seal_or_warn

LATER = NOON + timedelta(hours=9)


def entries(folder: Path) -> int:
    path = folder / NAME
    return len(path.read_text().splitlines()) if path.exists() else 0


async def test_it_goes_on_from_hour_to_hour(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing, "_EVERY_S", 0.001)
    archive = Archive(tmp_path)
    archive.append([measured("a")])
    task = asyncio.create_task(seal_hourly(tmp_path, lambda: LATER))
    for count in (1, 2):
        while entries(tmp_path) < count:  # noqa: ASYNC110  a thread seals
            await asyncio.sleep(0.001)
        archive.append([measured("b")])
    task.cancel()


async def test_an_archive_that_is_not_there_yet_is_nothing_to_speak_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await seal_or_warn(tmp_path / "archive", LATER)
    assert caplog.text == ""


async def test_a_damaged_manifest_stays_as_it_is_and_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    Archive(tmp_path).append([measured("a")])
    (tmp_path / NAME).write_text("{\n")
    await seal_or_warn(tmp_path, LATER)
    assert f"the archive is not sealed: {NAME}: " in caplog.text
    assert (tmp_path / NAME).read_text() == "{\n"
