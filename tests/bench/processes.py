"""Servers of the benchmark: each a process group of its own, on one core, gone when it is over."""

from __future__ import annotations

import http.client
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from bench.machine import cpu_s, rss_mb

PROXY_CORE: Final = 0
LOAD_CORE: Final = 1
FOLDER: Final = Path("build/bench").absolute()
_TESTS: Final = str(Path(__file__).parents[1])
_OPEN_FILES: Final = 16_384
_ENDING_S: Final = 10.0


class BenchError(Exception):
    """A measurement that cannot be made; the message says why, and what to do."""


class Server:
    """A process that runs while its block does.

    Attributes:
        name: For messages, and of its log under build/bench.
        port: Where it listens, on loopback.
    """

    def __init__(self, name: str, port: int, process: subprocess.Popen[bytes]) -> None:
        self.name, self.port = name, port
        self._process = process

    @property
    def cpu_s(self) -> float:
        """CPU time that it has taken, in seconds."""
        return cpu_s(self._process.pid)

    @property
    def rss_mb(self) -> float:
        """Memory that it holds, in MB."""
        return rss_mb(self._process.pid)

    def wait_until(self, is_so: Callable[[], bool], within_s: float, what: str) -> None:
        """Wait for something of this server.

        Raises:
            BenchError: The server has ended, or the time is over.
        """
        give_up_s = time.monotonic() + within_s
        while not is_so():
            if self._process.poll() is not None:
                raise BenchError(f"{self.name} has ended: {self._last_words()}")
            if time.monotonic() > give_up_s:
                raise BenchError(
                    f"{self.name} {what}, even after {within_s:.0f} s: {self._last_words()}"
                )
            time.sleep(0.05)

    @contextmanager
    def awake(self) -> Generator[None]:
        """Let it run while the block does; before and after, it takes no time from others."""
        self._signal(signal.SIGCONT)
        try:
            yield
        finally:
            self._signal(signal.SIGSTOP)

    def sleep(self) -> None:
        """Stop it until it is `awake`."""
        self._signal(signal.SIGSTOP)

    def end(self) -> None:
        """Ask it to end; soon after, make it."""
        self._signal(signal.SIGTERM)
        self._signal(signal.SIGCONT)
        try:
            self._process.wait(_ENDING_S)
        except subprocess.TimeoutExpired:
            pass
        finally:
            self._signal(signal.SIGKILL)
            self._process.wait(_ENDING_S)

    def _signal(self, number: int) -> None:
        try:
            os.killpg(self._process.pid, number)
        except ProcessLookupError:  # nothing is left of it
            return

    def _last_words(self) -> str:
        path = _log_path(self.name)
        lines = path.read_text(errors="replace").splitlines()[-15:]
        return "\n".join([f"see {path}", *lines])


@contextmanager
def running(
    name: str,
    core: int,
    command: Callable[[int], Sequence[str]],
    env: Mapping[str, str] | None = None,
) -> Generator[Server]:
    """A server on a free loopback port, once it listens there.

    Args:
        name: Its own.
        core: On which it runs, alone with what else is put there.
        command: What to start, given the port.
        env: Its environment beside PATH and HOME.

    Raises:
        BenchError: It does not start.
    """
    port = _free_port()
    FOLDER.mkdir(parents=True, exist_ok=True)
    with _log_path(name).open("wb") as log:
        server = Server(name, port, _start(core, command(port), env or {}, log))
        try:
            server.wait_until(lambda: _listens(port), 120, "does not listen")
            yield server
        finally:
            server.end()


def program(module: str) -> Callable[[int], Sequence[str]]:
    """The command of a program of this package, given its port."""
    return lambda port: [sys.executable, "-m", f"bench.{module}", str(port)]


def asked(
    port: int, method: str, path: str, body: bytes = b"", **headers: str
) -> tuple[int, bytes]:
    """Ask a loopback server once.

    Returns:
        The status and the body; 0 and the reason if there is no answer.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException) as error:
        return 0, str(error).encode()
    finally:
        connection.close()


def allow_open_files() -> None:
    """Raise the limit of open files for us and for what we start.

    Raises:
        BenchError: The machine's own limit is lower than what a thousand streams need.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most not in (-1, resource.RLIM_INFINITY) and most < _OPEN_FILES:
        raise BenchError(
            f"the limit of open files (ulimit -Hn) is {most}; {_OPEN_FILES} are needed"
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (_OPEN_FILES, most))


def pinned(core: int, command: Sequence[str]) -> list[str]:
    """The command, to run on one core."""
    return ["taskset", "--cpu-list", str(core), *command]


@contextmanager
def on_core(core: int) -> Generator[None]:
    """This process, and what it starts meanwhile, on one core while the block runs."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _start(
    core: int, command: Sequence[str], env: Mapping[str, str], log: IO[bytes]
) -> subprocess.Popen[bytes]:
    """`setpriv` has the kernel end it should we be killed."""
    binary = shutil.which(command[0]) or command[0]
    return subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", *pinned(core, [binary, *command[1:]])],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        env={"PATH": os.defpath, "HOME": str(FOLDER), "PYTHONPATH": _TESTS, **env},
        start_new_session=True,
    )


def _log_path(name: str) -> Path:
    return FOLDER / f"{name.replace(' ', '-')}.log"


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
