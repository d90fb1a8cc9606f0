"""The report as tables for a terminal: one a statement, then what they add up to."""

from __future__ import annotations

from io import StringIO
from typing import Final

from rich import box
from rich.console import Console
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
            console.print(_statement(report, each))
    else:
        console.print()
        console.print(_lines(report, None))
        console.print(_totals(report.statements))
    console.print()
    for sentence in _closing(report):
        console.print(sentence)
    return "".join(f"{line.rstrip()}\n" for line in out.getvalue().splitlines())


def _statement(report: Report, each: Statement) -> Table:
    table = _lines(report, each.tenant)
    table.add_section()
    blanks = [""] * (len(table.columns) - 2)
    table.add_row("rounding", *blanks, plain(each.rounding))
    table.add_row(Text("statement", style="bold"), *blanks, Text(str(each.total), style="bold"))
    return table


def _lines(report: Report, tenant: str | None) -> Table:
    """The lines of one tenant, or of all if None, with those unpriced behind them."""
    shown = [place for place, field in enumerate(report.by) if field != "tenant"]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for place in shown:
        field = report.by[place]
        table.add_column(_HEADINGS.get(field, field), overflow="fold")
    table.add_column("meter", overflow="fold")
    for heading in ("quantity", "unit price", "amount"):
        table.add_column(heading, justify="right", no_wrap=True)
    for line in (*report.lines, *report.unpriced):
        if tenant is None or line.group[report.by.index("tenant")] == tenant:
            names = [Text(label(report.by[place], line.group[place])) for place in shown]
            table.add_row(*names, _meter(line), f"{line.quantity:,}", *_money(line))
    return table


def _meter(line: Line | UnpricedLine) -> Text:
    measured = line.provenance == "measured"
    return Text(line.meter if measured else f"{line.meter} {line.provenance}")


def _money(line: Line | UnpricedLine) -> tuple[str | Text, str | Text]:
    if isinstance(line, UnpricedLine):
        return "", Text("unpriced", style="bold red")
    return f"{plain(line.unit_price)}{_PER.get(line.per, f'/{line.per:,}')}", plain(line.amount)


def _totals(statements: list[Statement]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("statement of", overflow="fold")
    table.add_column("rounding", justify="right", no_wrap=True)
    table.add_column("total", justify="right", no_wrap=True)
    for each in statements:
        table.add_row(Text(each.tenant), plain(each.rounding), str(each.total))
    return table


def _closing(report: Report) -> list[Text]:
    """What the tables add up to, what is missing from them, and where the counts are from."""
    sentences = [
        Text(
            f"Total {report.total} {report.currency}, of which rounding {plain(report.rounding)}.",
            style="bold",
        )
    ]
    if report.unpriced:
        count = len(report.unpriced)
        lines = "1 line has" if count == 1 else f"{count} lines have"
        sentences.append(Text(f"{lines} no rate and are not in the total:", style="bold red"))
        sentences += [Text(f"  {wanted}") for wanted in _wanted(report.unpriced)]
    counted = [f"{count:,} {name}" for name, count in report.coverage.items() if count]
    requests = "1 request" if report.requests == 1 else f"{report.requests:,} requests"
    return [*sentences, Text(f"{requests}: {', '.join(counted) or 'none'}.")]


def _wanted(lines: list[UnpricedLine]) -> list[str]:
    """The rows that a card would need, each once."""
    wanted = [
        " ".join((line.meter, "of", *(value or "(unknown)" for value in line.rate_for.values())))
        for line in lines
    ]
    return list(dict.fromkeys(wanted))
