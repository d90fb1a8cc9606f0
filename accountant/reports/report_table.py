"""The report as tables for a terminal: one a statement, then what they add up to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import StringIO
from typing import Final

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from accountant.charges import Charge
from accountant.labels import label, shown
from accountant.lines import Line, UnpricedLine
from accountant.money import plain
from accountant.rate_cards.price_rules import words
from accountant.reports.report import Report
from accountant.statement import Statement

_HEADINGS: Final = {"billing_code": "billing code"}
_NAME_WIDTH: Final = 12  # names fold down to this; figures never fold
_GAP: Final = 2
_PARTIAL: Final = "priced lines"  # beside a total that is not of all lines
_PER: Final = {1: "", 1_000: "/1K", 1_000_000: "/1M"}


def as_table(report: Report, width: int, *, colour: bool = False) -> str:
    """Tables in plain text.

    Args:
        report: What to show.
        width: Columns of the terminal; 80 suits a pipe. Lines are longer where a figure would
            else lose digits.
        colour: Whether the terminal shows styles.
    """
    out = StringIO()
    parts = [*_tables(report), *_closing(report)]
    width = max([width, *(_least_width(part) for part in parts if isinstance(part, Table))])
    console = Console(file=out, width=width, force_terminal=colour, highlight=False, markup=False)
    status = report.edition.status
    console.print(f"Chargeback {report.period} (UTC), {status}, in {report.currency}", style="bold")
    for part in parts:
        console.print(part, crop=False)
    return "".join(f"{line.rstrip()}\n" for line in out.getvalue().splitlines())


def _tables(report: Report) -> Iterator[Table | Text]:
    if "tenant" in report.by:
        for each in report.statements:
            yield Text()
            number = report.edition.numbers.get(each.tenant)
            said = f", statement {shown(number)}" if number else ""
            yield Text(f"{shown(each.tenant)}{said}", style="bold")
            table = _lines(report, each.tenant)
            yield _statement(table, each) if table.row_count else Text("nothing used")
    else:
        yield Text()
        yield _lines(report, None)
        yield Text()
        yield _totals(report.statements)
    yield Text()


def _least_width(table: Table) -> int:
    """What a table needs so that no digit is lost; its columns are told, too."""
    for column in table.columns:
        widest = max(cell_len(str(cell)) for cell in (column.header, *column.cells))
        column.min_width = widest if column.no_wrap else min(widest, _NAME_WIDTH)
    return sum((column.min_width or 0) + _GAP for column in table.columns) - _GAP


def _statement(table: Table, each: Statement) -> Table:
    """The tenant's lines with their total, which says so when a line is missing from it."""
    note = _PARTIAL if each.unpriced else ""
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
    places = [place for place, field in enumerate(report.by) if field != "tenant"]
    table = _table()
    for place in places:
        field = report.by[place]
        table.add_column(_HEADINGS.get(field, field), overflow="fold")
    table.add_column("meter", overflow="fold")
    for heading in ("quantity", "unit price", "amount"):
        table.add_column(heading, justify="right", no_wrap=True)
    for line in (*report.lines, *report.unpriced):
        if tenant is None or line.group[report.by.index("tenant")] == tenant:
            names = [Text(label(report.by[place], line.group[place])) for place in places]
            table.add_row(*names, _meter(line), _quantity(line), *_money(line))
    for entry in report.entries:
        if tenant in {None, entry.tenant}:
            names = [Text(_entry_name(entry, report.by[place])) for place in places]
            table.add_row(*names, _entry_words(entry), "", "", plain(entry.amount))
    return table


def _entry_name(entry: Charge, field: str) -> str:
    """What is owed beside usage is of a billing code, and of no model, user or region."""
    return label(field, entry.billing_code) if field == "billing_code" else ""


def _entry_words(entry: Charge) -> Text:
    """What it is, with its share, or with what it corrects."""
    told = entry.description
    if entry.allocation:
        share = f"{entry.allocation.share} of {plain(entry.allocation.whole)}"
        told = f"{told} ({entry.allocation.method}, {share})"
    if corrected := entry.correction:
        line = "a new line" if corrected.line is None else f"line {corrected.line}"
        told = f"{told} (corrects {line} of {corrected.statement or corrected.month})"
    return Text(shown(told))


def _table() -> Table:
    """Narrow gaps, so that 80 columns hold long names."""
    return Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)


def _meter(line: Line | UnpricedLine) -> Text:
    """The meter in words, which wrap; with provenance and discounts where there is need to know."""
    told = "tokens not known" if line.meter is None else shown(line.meter.replace("_", " "))
    if line.provenance != "measured":
        told = f"{told} ({line.provenance})"
    if isinstance(line, Line) and line.list_price is not None:
        told = f"{told}; list {plain(line.list_price)}, {shown(words(line.adjustments))}"
    return Text(told)


def _quantity(line: Line | UnpricedLine) -> str:
    return _requests(line.requests) if line.quantity is None else f"{line.quantity:,}"


def _money(line: Line | UnpricedLine) -> tuple[str | Text, str | Text]:
    if isinstance(line, UnpricedLine):
        return "", Text("uncounted" if line.meter is None else "unpriced", style="bold red")
    return f"{plain(line.unit_price)}{_PER.get(line.per, f'/{line.per:,}')}", plain(line.amount)


def _totals(statements: Sequence[Statement]) -> Table:
    """Every tenant's total, and whether a line is missing from it."""
    table = _table()
    partial = any(each.unpriced for each in statements)
    table.add_column("statement of", overflow="fold")
    if partial:
        table.add_column("", overflow="fold")
    table.add_column("rounding", justify="right", no_wrap=True)
    table.add_column("total", justify="right", no_wrap=True)
    for each in statements:
        note = [_PARTIAL if each.unpriced else ""] if partial else []
        table.add_row(Text(shown(each.tenant)), *note, plain(each.rounding), str(each.total))
    return table


def _closing(report: Report) -> Iterator[Text | Padding]:
    """What the tables add up to, what is missing from them, and where the counts are from."""
    rounding = plain(report.rounding)
    yield _sentence(
        f"Total {report.total} {report.currency}, of which rounding {rounding}.", "bold"
    )
    if wanted := _wanted(report.unpriced):
        yield _sentence("Not in the total, for want of a rate:", "bold red")
        yield from (Padding(each, (0, 0, 0, 2)) for each in wanted)
    if uncounted := sum(each.unmetered for each in report.statements):
        missing = f"Not in the total, for want of a count: {_requests(uncounted)}"
        whose = ", ".join(
            f"{shown(each.tenant)} {each.unmetered:,}"
            for each in report.statements
            if each.unmetered
        )
        yield _sentence(f"{missing} ({whose}).", "bold red")
    for waiver in report.edition.waivers:
        said = f"Let pass at the close by {waiver.by}: {waiver.what}, as {waiver.reason}"
        yield _sentence(shown(said))
    counted = [f"{count:,} {name}" for name, count in report.coverage.items() if count]
    yield _sentence(f"{_requests(report.requests)}: {', '.join(counted) or 'none'}.")


def _sentence(words: str, style: str = "") -> Text:
    """Words that wrap, but are not folded, as some are figures."""
    return Text(words, style, overflow="ignore")


def _requests(count: int) -> str:
    return "1 request" if count == 1 else f"{count:,} requests"


def _wanted(lines: Sequence[UnpricedLine]) -> list[Text]:
    """What the missing rates must match, with their meters."""
    meters: dict[tuple[str, ...], list[str]] = {}
    for line in lines:
        if line.meter is not None and line.rate_for is not None:
            values = tuple(value or f"unknown {key}" for key, value in line.rate_for.items())
            meters.setdefault(values, []).append(line.meter)
    return [
        Text(shown(f"{', '.join(dict.fromkeys(names))} of {', '.join(values)}"))
        for values, names in meters.items()
    ]
