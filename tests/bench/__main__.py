"""`make bench`: measures, prints a table, writes build/bench.json."""

from __future__ import annotations

from pathlib import Path

import msgspec
from bench.ledger_contests import ledger_contests
from bench.measuring import Result
from bench.usage_contests import usage_contests
from rich.console import Console
from rich.table import Table

OUTPUT = Path("build/bench.json")


def main() -> None:
    """Run all contests."""
    results = [contest.run() for contest in usage_contests()]
    with ledger_contests() as contests:
        results += [contest.run() for contest in contests]
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_bytes(msgspec.json.format(msgspec.json.encode(results)) + b"\n")
    Console().print(_table(results))


def _table(results: list[Result]) -> Table:
    table = Table("name", "value", "unit", "baseline", "its value", "ratio")
    for result in results:
        figures = (f"{result.value:,.0f}", f"{result.baseline_value:,.0f}", f"{result.ratio:.2f}")
        table.add_row(result.name, figures[0], result.unit, result.baseline, *figures[1:])
    return table


if __name__ == "__main__":
    main()
