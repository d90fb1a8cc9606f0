"""What the machine did: CPU and memory of processes, and how much others took of it."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Final

import msgspec

_TICKS_A_S: Final = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")
_PROC: Final = Path("/proc")
# Fields of /proc/PID/stat after the command's name, counted from its end (proc(5)).
_PARENT, _USER, _SYSTEM, _REAPED_USER, _REAPED_SYSTEM, _RSS = 1, 11, 12, 13, 14, 21


class _Process(msgspec.Struct, frozen=True):
    """One process: CPU time its own and its reaped children's, in ticks; memory in pages."""

    parent: int
    own: int
    reaped: int
    pages: int


def cpu_s(pid: int) -> float:
    """CPU time that a process and its descendants have taken so far, in seconds."""
    return sum(process.own + process.reaped for process in _tree(pid)) / _TICKS_A_S


def rss_mb(pid: int) -> float:
    """Resident memory of a process and its descendants, in MB (10^6 bytes)."""
    return sum(process.pages for process in _tree(pid)) * _PAGE_BYTES / 1e6


def peak_mb() -> float:
    """The most resident memory that this program has had, in MB (2^20 bytes).

    getrusage would begin with what its parent had.
    """
    status = (_PROC / "self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def cores() -> int:
    """How many cores this program may use."""
    return len(os.sched_getaffinity(0))


class Noise:
    """How much of the machine's cores processes that are not ours take from now on."""

    def __init__(self) -> None:
        self._began_s = time.monotonic()
        self._others = self._others_s()

    def share(self) -> float:
        """The share of all cores that others have taken since this was made; 0.08 is 8 %."""
        elapsed_s = (time.monotonic() - self._began_s) * (os.cpu_count() or 1)
        return max(0.0, (self._others_s() - self._others) / elapsed_s)

    def _others_s(self) -> float:
        """The interrupts' time is left out: it cannot be told whose it is."""
        user, nice, system, _, _, _, _, steal = map(int, _first_line("stat").split()[1:9])
        return (user + nice + system + steal) / _TICKS_A_S - cpu_s(os.getpid())


def _first_line(name: str) -> str:
    with (_PROC / name).open() as file:
        return file.readline()


def _tree(pid: int) -> list[_Process]:
    """The process and its descendants that run now."""
    processes = _processes()
    found, waiting = list[_Process](), [pid]
    while waiting:
        at = waiting.pop()
        if at in processes:
            found.append(processes[at])
            waiting += [child for child, process in processes.items() if process.parent == at]
    return found


def _processes() -> dict[int, _Process]:
    found = dict[int, _Process]()
    for folder in _PROC.iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
                continue
            found[int(folder.name)] = _Process(
                parent=int(fields[_PARENT]),
                own=int(fields[_USER]) + int(fields[_SYSTEM]),
                reaped=int(fields[_REAPED_USER]) + int(fields[_REAPED_SYSTEM]),
                pages=int(fields[_RSS]),
            )
    return found
