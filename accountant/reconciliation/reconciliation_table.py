"""Reconciliations as tables for a terminal: capture, then what differs and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from io import StringIO
from typing import Final

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from accountant.labels import shown
from accountant.money import ZERO, plain, total
from accountant.reconciliation.capture import Capture, captures
from accountant.reconciliation.causes import WORDS, CauseKind
from accountant.reconciliation.differences import Line
from accountant.reconciliation.labels import (
    SOURCES,
    meter_words,
    money_cause_words,
    offer_words,
    quantity_cause_words,
    rounded_for_people,
    signed,
    target_words,
)
from accountant.reconciliation.reconcile import Reconciliation
from accountant.reconciliation.sides import Apart
from tollgate.usage.periods import Month

MAX_ROWS: Final = 40  # of one source; the files have all
_RED: Final = "bold red"


def as_table(
    period: Month, found: Sequence[Reconciliation], width: int, *, colour: bool = False
) -> str:
    """Tables in plain text.

    Args:
        period: The month.
        found: One a source.
        width: Columns of the terminal; 80 suits a pipe.
        colour: Whether the terminal shows styles.
    """
    out = StringIO()
    console = Console(file=out, width=width, force_terminal=colour, highlight=False, markup=False)
    for each in found:
        console.print(_heading(period, each), style="bold")
        for part in _parts(each):
            console.print(part, crop=False)
        console.print()
    return "".join(f"{line.rstrip()}\n" for line in out.getvalue().rstrip("\n").splitlines())


def _heading(period: Month, found: Reconciliation) -> str:
    files = ", ".join(shown(name) for name in found.of)
    money = f", in {found.currency}" if found.currency else ""
    return f"Ledger against {SOURCES[found.source]}, {period} (UTC){money}: {files}"


def _parts(found: Reconciliation) -> Iterator[Table | Text | Padding]:
    yield Text()
    if found.settled:
        yield _captures(found)
        yield Text()
    differing = [line for line in found.settled if line.status != "agrees"]
    if differing:
        yield from _differences(differing)
        yield Text()
    yield _verdict(found)
    yield from _notes(found)
    for side, aparts in (
        ("the ledger", found.ledger_apart),
        (SOURCES[found.source], found.provider_apart),
    ):
        if aparts:
            yield Text(f"Not compared, of {side}:")
            yield from (Padding(_apart(each), (0, 0, 0, 2)) for each in aparts)


def _table() -> Table:
    """Narrow gaps, so that 80 columns hold long names."""
    return Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)


def _captures(found: Reconciliation) -> Table:
    table = _table()
    names = ("backend", "model" if found.source == "invoice" else "deployment")
    for heading in (*names, "counted"):
        table.add_column(heading, overflow="fold")
    for heading in ("ledger", "provider", "capture"):
        table.add_column(heading, justify="right", no_wrap=True)
    for each in captures(found.settled):
        backend, name = target_words(each.target)
        counted = found.currency or "" if each.unit == "money" else f"{each.unit}s"
        figures = (_figure(each, each.ledger), _figure(each, each.provider), _percent(each.rate))
        table.add_row(backend, name, counted, *figures)
    return table


def _figure(capture: Capture, amount: Decimal) -> str:
    if capture.unit == "money":
        return f"{rounded_for_people(amount):,f}"
    return f"{int(amount):,}"


def _percent(rate: Decimal | None) -> str:
    return "n/a" if rate is None else f"{plain(rate * 100)} %"


def _differences(lines: Sequence[Line]) -> Iterator[Table | Text]:
    table = _table()
    table.add_column("day", no_wrap=True)
    table.add_column("what", overflow="fold")
    table.add_column("difference", justify="right", no_wrap=True)
    table.add_column("explained by", overflow="fold")
    table.add_column("unexplained", justify="right", no_wrap=True)
    ordered = sorted(lines, key=lambda line: line.status != "unexplained")
    for line in ordered[:MAX_ROWS]:
        backend = shown(line.item.backend or "")
        what = " ".join(
            filter(None, (backend, offer_words(line.item), meter_words(line.item.meter)))
        )
        rest = f"{line.unexplained:+,}" if line.unexplained else ""
        style = _RED if line.status == "unexplained" else ""
        if line.difference or line.amount_difference is None:
            causes = quantity_cause_words(line)
            table.add_row(str(line.day), what, f"{line.difference:+,}", causes, Text(rest, style))
        if line.amount_difference:
            difference = signed(rounded_for_people(line.amount_difference))
            unexplained = signed(rounded_for_people(line.unexplained_amount))
            money = unexplained if line.unexplained_amount else ""
            day, told = (str(line.day), what) if not line.difference else ("", "in money")
            table.add_row(day, told, difference, money_cause_words(line), Text(money, style))
    yield table
    if len(lines) > MAX_ROWS:
        yield Text(f"and {len(lines) - MAX_ROWS:,} more; --format csv has every one")
    causes = (cause for line in ordered[:MAX_ROWS] for cause in line.causes)
    kinds: dict[CauseKind, None] = dict.fromkeys(cause.kind for cause in causes)
    for kind in kinds:
        yield Text(f"{meter_words(kind)}: {WORDS[kind]}.", "dim")


def _verdict(found: Reconciliation) -> Text:
    lines = [line for line in found.settled if line.status == "unexplained"]
    count = len(found.settled)
    if lines:
        units = {
            f"{unit}s": sum(abs(line.unexplained) for line in lines if line.item.unit == unit)
            for unit in ("token", "request")
        }
        told = [f"{amount:,} {unit}" for unit, amount in units.items() if amount]
        money = total(abs(line.unexplained_amount or ZERO) for line in lines)
        told += [f"{plain(rounded_for_people(money))} {found.currency}"] if money else []
        of = f"{len(lines):,} of {count:,} lines"
        return Text(f"Unexplained: {of}, {', '.join(told)}.", _RED)
    statuses = {line.status for line in found.settled}
    if not statuses:
        return Text("Nothing to compare.", "bold")
    if statuses == {"agrees"}:
        return Text(f"All {count:,} lines agree.", "bold")
    tolerated = " or within the tolerance" if "tolerated" in statuses else ""
    return Text(f"Every difference is explained{tolerated}.", "bold")


def _direct(found: Reconciliation) -> Iterator[Text]:
    """What bypassed the gateway is explained, and yet nobody pays for it."""
    causes = [each for line in found.settled for each in line.causes if each.kind == "direct"]
    if causes:
        of_tokens = (line for line in found.settled if line.item.unit == "token")
        tokens = sum(c.quantity for line in of_tokens for c in line.causes if c.kind == "direct")
        amount = rounded_for_people(total(each.amount or ZERO for each in causes))
        money = f" and {plain(amount)} {found.currency}" if found.currency else ""
        yield Text(f"On nobody's statement, as it bypassed the gateway: {tokens:,} tokens{money}.")


def _notes(found: Reconciliation) -> Iterator[Text]:
    yield from _direct(found)
    if waiting := len(found.lines) - len(found.settled):
        yield Text(
            f"From {found.settled_until} on {SOURCES[found.source]} may still grow: "
            f"{waiting:,} lines are not counted."
        )
    if found.silent:
        meters = ", ".join(found.silent)
        yield Text(f"Not compared, as {SOURCES[found.source]} does not tell them: {meters}.")
    if found.strangers:
        names, known = (", ".join(map(shown, each)) for each in (found.strangers, found.backends))
        yield Text(
            f"No backend of the ledger has the name of {names}. It has {known or 'none'}; "
            "if one of them is meant, say so in --map."
        )


def _apart(each: Apart) -> Text:
    told: list[str] = []
    if each.quantity is not None:
        told.append(_apart_quantity(each.quantity, each.unit or ""))
    if each.amount is not None:
        told.append(f"{plain(each.amount)} {each.currency}")
    return Text(f"{', '.join(told) or each.rows}: {shown(each.what)}")


def _apart_quantity(quantity: Decimal, unit: str) -> str:
    """A whole number of tokens or the like; or a quantity as the invoice tells it."""
    if unit.isalpha():
        return f"{quantity:,f} {shown(unit)}{'s' * (quantity != 1)}"
    return f"quantity {plain(quantity)} of {shown(unit)}"
