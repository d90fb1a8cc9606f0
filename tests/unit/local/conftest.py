"""The `tollgate` command, as a user types it, in this process."""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

import pytest
from counts import emptied

from tollgate.local import cli


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
