"""The report as tables for a terminal: one a statement, then what they add up to."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from typing import Final

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from accountant.labels import label
from accountant.money import plain
from accountant.report import Line, Report, UnpricedLine
from accountant.statement import Statement

_HEADINGS: Final = {"billing_code": "billing code"}
_PER: Final = {1: "", 1_000: "/1K", 1_000_000: "/1M"}


def as_table(report: Report, width: int, *, colour: bool = False) -> str:
    """Tables in plain text.

    Args:
        report: What to show.
        width: Columns of the terminal; 80 suits a pipe.
        colour: Whether the terminal shows styles.
    """
    out = StringIO()
    console = Console(file=out, width=width, force_terminal=colour, highlight=False, markup=False)
    console.print(f"Chargeback {report.period} (UTC), draft, in {report.currency}", style="bold")
    if "tenant" in report.by:
        for each in report.statements:
            console.print()
            console.print(Text(each.tenant, style="bold"))
            table = _lines(report, each.tenant)
            console.print(_statement(table, report, each) if table.row_count else "nothing used")
    else:
        console.print()
        console.print(_lines(report, None))
        console.print()
        console.print(_totals(report.statements))
    console.print()
    for sentence in _closing(report):
        console.print(sentence)
    return "".join(f"{line.rstrip()}\n" for line in out.getvalue().splitlines())


def _statement(table: Table, report: Report, each: Statement) -> Table:
    """The tenant's lines with their total, which says so when a line is missing from it."""
    tenants = {line.group[report.by.index("tenant")] for line in report.unpriced}
    note = "priced lines" if each.tenant in tenants else ""
    table.add_section()
    table.add_row(*_foot(table, "rounding", "", plain(each.rounding)))
    table.add_row(*_foot(table, "statement", note, str(each.total)), style="bold")
    return table


def _foot(table: Table, label: str, note: str, amount: str) -> list[str]:
    """A row below the lines: its label first, its note under the meters, its amount last."""
    cells = [label, *[""] * (len(table.columns) - 2), amount]
    cells[-4] = f"{cells[-4]} {note}".strip()
    return cells


def _lines(report: Report, tenant: str | None) -> Table:
    """The lines of one tenant, or of all if None, with those unpriced behind them."""
    shown = [place for place, field in enumerate(report.by) if field != "tenant"]
    table = _table()
    for place in shown:
        field = report.by[place]
        table.add_column(_HEADINGS.get(field, field), overflow="fold")
    table.add_column("meter", overflow="fold", min_width=12)
    for heading in ("quantity", "unit price", "amount"):
        table.add_column(heading, justify="right", no_wrap=True)
    for line in (*report.lines, *report.unpriced):
        if tenant is None or line.group[report.by.index("tenant")] == tenant:
            names = [Text(label(report.by[place], line.group[place])) for place in shown]
            table.add_row(*names, _meter(line), f"{line.quantity:,}", *_money(line))
    return table


def _table() -> Table:
    """Narrow gaps, so that 80 columns hold long names."""
    return Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)


def _meter(line: Line | UnpricedLine) -> Text:
    """The meter in words, which wrap; and where its count is from, unless it was measured."""
    words = line.meter.replace("_", " ")
    return Text(words if line.provenance == "measured" else f"{words} ({line.provenance})")


def _money(line: Line | UnpricedLine) -> tuple[str | Text, str | Text]:
    if isinstance(line, UnpricedLine):
        return "", Text("unpriced", style="bold red")
    return f"{plain(line.unit_price)}{_PER.get(line.per, f'/{line.per:,}')}", plain(line.amount)


def _totals(statements: list[Statement]) -> Table:
    table = _table()
    table.add_column("statement of", overflow="fold")
    table.add_column("rounding", justify="right", no_wrap=True)
    table.add_column("total", justify="right", no_wrap=True)
    for each in statements:
        table.add_row(Text(each.tenant), plain(each.rounding), str(each.total))
    return table


def _closing(report: Report) -> Iterator[Text | Padding]:
    """What the tables add up to, what is missing from them, and where the counts are from."""
    rounding = plain(report.rounding)
    yield Text(f"Total {report.total} {report.currency}, of which rounding {rounding}.", "bold")
    if report.unpriced:
        yield Text("Not in the total, for want of a rate:", "bold red")
        yield from (Padding(wanted, (0, 0, 0, 2)) for wanted in _wanted(report.unpriced))
    counted = [f"{count:,} {name}" for name, count in report.coverage.items() if count]
    requests = "1 request" if report.requests == 1 else f"{report.requests:,} requests"
    yield Text(f"{requests}: {', '.join(counted) or 'none'}.")


def _wanted(lines: list[UnpricedLine]) -> list[Text]:
    """What the missing rates must match, with their meters."""
    meters: dict[tuple[str, ...], list[str]] = {}
    for line in lines:
        values = tuple(value or f"unknown {key}" for key, value in line.rate_for.items())
        meters.setdefault(values, []).append(line.meter)
    return [
        Text(f"{', '.join(dict.fromkeys(names))} of {', '.join(values)}")
        for values, names in meters.items()
    ]
