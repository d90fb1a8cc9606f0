from __future__ import annotations

import sys
from io import StringIO

import pytest

from accountant.commands.progress import bar


class Terminal(StringIO):
    """Takes what a terminal would show."""

    def isatty(self) -> bool:
        return True


def test_a_terminal_sees_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with bar() as show:
        show("statements written", 1200, None)
    assert "1,200 statements written" in terminal.getvalue()


@pytest.mark.parametrize("place", [StringIO(), None])
def test_anything_else_sees_nothing(
    place: StringIO | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", place)
    with bar() as show:
        show("files read", 1, 2)
    assert place is None or not place.getvalue()
