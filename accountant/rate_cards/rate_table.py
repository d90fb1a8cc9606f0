"""Rates as a table for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from io import StringIO
from typing import Final

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from accountant.labels import shown
from accountant.money import plain
from accountant.rate_cards.price_rules import PriceRule
from accountant.rate_cards.rate_card import Rate

_PER: Final = {1: "1", 1_000: "1K", 1_000_000: "1M"}
_WIDTH: Final = 200  # a row is read across; a terminal wraps or scrolls what is longer


def rates_table(rates: Sequence[Rate], drafts: Sequence[Rate], rules: Sequence[PriceRule]) -> str:
    """Rates by model and meter, then discounts and mark-ups; drafts say that they are."""
    out = StringIO()
    console = Console(file=out, width=_WIDTH, highlight=False, markup=False)
    console.print(_rates(rates, drafts))
    if rules:
        console.print()
        console.print(_rules(rules))
    return "".join(f"{line.rstrip()}\n" for line in out.getvalue().splitlines())


def _rates(rates: Iterable[Rate], drafts: Iterable[Rate]) -> Table:
    table = _table("model", "for", "meter", "price", "per", "from", "until", "checked", "source")
    rows = [(rate, "") for rate in rates] + [(rate, "draft") for rate in drafts]
    for rate, mark in sorted(rows, key=_order):
        table.add_row(
            Text(shown(rate.model)),
            Text(", ".join(shown(value) for value in (*rate.match().values(), mark) if value)),
            Text(shown(rate.meter)),
            f"{plain(rate.unit_price)} {rate.currency}",
            _PER.get(rate.per, f"{rate.per:,}"),
            str(rate.effective_from),
            str(rate.effective_to or ""),
            str(rate.checked_on or ""),
            Text(shown(rate.source)),
        )
    return table


def _rules(rules: Iterable[PriceRule]) -> Table:
    table = _table("rule", "for", "per cent", "from", "until", "source")
    for rule in rules:
        sign = "-" if rule.kind == "discount" else "+"
        table.add_row(
            Text(shown(rule.name)),
            Text(", ".join(shown(value) for value in rule.match().values()) or "everything"),
            f"{sign}{plain(rule.percent)}%",
            str(rule.effective_from),
            str(rule.effective_to or ""),
            Text(shown(rule.source)),
        )
    return table


def _table(*headings: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    for heading in headings:
        figures = heading in {"price", "per cent"}
        table.add_column(heading, justify="right" if figures else "left", overflow="fold")
    return table


def _order(row: tuple[Rate, str]) -> tuple[object, ...]:
    rate, mark = row
    return (rate.model, rate.meter, tuple(rate.match().items()), rate.effective_from, mark)
