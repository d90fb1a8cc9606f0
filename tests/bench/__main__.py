"""`make bench`: measures, prints tables, writes build/bench.json.

Arguments: what to measure (usage, ledger, archive, accountant, proxy, streams); nothing means all.
Exit codes: 0 every bound holds, 1 one does not, 2 it could not be measured.
"""

from __future__ import annotations

import shutil
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec
from bench import ledger_contests, proxy_contests, report_contests, stream_contests
from bench.archive_contests import archive_contests
from bench.bounds import judged, verdicts
from bench.machine import cores
from bench.measuring import Result
from bench.peers import install_peers
from bench.processes import BenchError, allow_open_files
from bench.statement_contests import statement_contests
from bench.usage_contests import usage_contests
from rich.console import Console
from rich.table import Table

OUTPUT: Final = Path("build/bench.json")
_COMMANDS: Final = ("nginx", "wrk", "taskset", "setpriv", "node", "npm")
_CORES: Final = 2
_WIDTH: Final = 130  # of the tables, also in a log
_ENDED_BY_SIGNAL: Final = 128


def main() -> None:
    """Measure what the arguments name."""
    console = Console(width=max(_WIDTH, Console().width))
    signal.signal(signal.SIGTERM, _end)
    try:
        holds = _measure(sys.argv[1:], console)
    except BenchError as error:
        console.print(f"make bench: {error}", style="red", markup=False)
        sys.exit(2)
    sys.exit(0 if holds else 1)


def _end(number: int, _: object) -> None:
    """Leave every block, so that every server ends."""
    sys.exit(_ENDED_BY_SIGNAL + number)


def _measure(names: Sequence[str], console: Console) -> bool:
    if unknown := set(names) - set(_CONTESTS):
        raise BenchError(f"no such part: {', '.join(sorted(unknown))}; parts: {_PARTS}")
    results = list[Result]()
    for name in names or _CONTESTS:
        console.print(f"Measuring {name}…")
        results += _CONTESTS[name](console)
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_bytes(msgspec.json.format(msgspec.json.encode(results)) + b"\n")
    console.print(_table(results))
    judgements = judged(results)
    if judgements:
        console.print(verdicts(judgements))
    return all(bound.holds(result) for bound, result in judgements)


def _usage(_: Console) -> list[Result]:
    return [contest.run() for contest in usage_contests()]


def _ledger(console: Console) -> list[Result]:
    if cores() < _CORES:
        raise BenchError(f"{_CORES} cores are needed: the worker's, and Redis's")
    return ledger_contests.run(console)


def _archive(_: Console) -> list[Result]:
    return archive_contests()


def _accountant(console: Console) -> list[Result]:
    if cores() < _CORES:
        raise BenchError(f"{_CORES} cores are needed: the accountant's, and Redis's")
    return [*report_contests.run(console), *statement_contests()]


def _proxy(console: Console) -> list[Result]:
    _prepare()
    return proxy_contests.run(console)


def _streams(console: Console) -> list[Result]:
    _prepare()
    return stream_contests.run(console)


def _prepare() -> None:
    if cores() < _CORES:
        raise BenchError(f"{_CORES} cores are needed: the proxy's, and the load's")
    if missing := [command for command in _COMMANDS if shutil.which(command) is None]:
        raise BenchError(f"missing: {', '.join(missing)}. For nginx and wrk: sudo make benchsystem")
    allow_open_files()
    install_peers()


def _table(results: list[Result]) -> Table:
    table = Table("name", "value", "unit", "baseline", "its value", "ratio")
    for result in results:
        value, baseline_value = _figure(result.value), _figure(result.baseline_value)
        cells = (result.unit, result.baseline, baseline_value, f"{result.ratio:,.2f}")
        table.add_row(result.name, value, *cells)
    return table


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.2f}"


_CONTESTS: Final[dict[str, Callable[[Console], list[Result]]]] = {
    "usage": _usage,
    "ledger": _ledger,
    "archive": _archive,
    "accountant": _accountant,
    "proxy": _proxy,
    "streams": _streams,
}
_PARTS: Final = ", ".join(_CONTESTS)


if __name__ == "__main__":
    main()
