from __future__ import annotations

from pathlib import Path
from typing import cast

import azure.functions as func
import pytest
from ledgers import measured

from tollgate.functions.seal_timer import seal_timer
from tollgate.ledger.archive import Archive
from tollgate.ledger.manifest import NAME

DUE = cast("func.TimerRequest", None)  # the function does not look at it


async def test_the_archives_past_hours_are_sealed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Archive(tmp_path).append([measured("a")])
    await seal_timer(DUE)
    assert not (tmp_path / NAME).exists()  # nobody named it
    monkeypatch.setenv("TOLLGATE_ARCHIVE", str(tmp_path))
    await seal_timer(DUE)
    assert len((tmp_path / NAME).read_text().splitlines()) == 1
