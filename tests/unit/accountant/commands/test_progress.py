"""A bar on a terminal, for work that takes long."""

from __future__ import annotations

import io
import sys

import pytest

from accountant.commands import progress
from accountant.commands.progress import bar


class Terminal(io.StringIO):
    """Says that it is one."""

    def isatty(self) -> bool:
        return True


def on_terminal(monkeypatch: pytest.MonkeyPatch, long_s: float = 0) -> Terminal:
    """Let stderr be one, and work be long after so many seconds."""
    made = Terminal()
    monkeypatch.setattr(progress, "_LONG_S", long_s)
    monkeypatch.setattr(sys, "stderr", made)
    monkeypatch.setenv("TERM", "xterm")
    return made


def test_long_work_is_shown_until_all_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = on_terminal(monkeypatch)
    with bar() as show:
        show("tenants read", 1, 4)
        show("tenants read", 2, 4)
        show("tenants read", 4, 4)
        done = terminal.getvalue()
        assert "tenants read" in done
        terminal.write("the answer")
    assert terminal.getvalue() == f"{done}the answer"


def test_a_bar_ends_with_work_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = on_terminal(monkeypatch)

    def fail() -> None:
        with bar() as show:
            show("tenants read", 1, 4)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert terminal.getvalue().endswith("\x1b[2K")  # the line is empty again


def test_short_work_is_shown_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = on_terminal(monkeypatch, long_s=60)
    with bar() as show:
        show("tenants read", 1, 4)
    assert terminal.getvalue() == ""


@pytest.mark.parametrize("stderr", [io.StringIO(), None])
def test_where_there_is_no_terminal_there_is_no_bar(
    stderr: io.StringIO | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "_LONG_S", 0)
    monkeypatch.setattr(sys, "stderr", stderr)
    with bar() as show:
        show("tenants read", 1, 4)
    assert stderr is None or stderr.getvalue() == ""


def test_work_of_unknown_length_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = on_terminal(monkeypatch)
    with bar() as show:
        show("statements written", 1200, None)
    assert "1,200 statements written" in terminal.getvalue()
