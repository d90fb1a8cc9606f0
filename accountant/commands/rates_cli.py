"""`accountant rates`: show, check, import and compare rate cards."""

# Only --help must be quick, so what a command needs is imported inside it.
# ruff: noqa: PLC0415

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from accountant.commands.delivery import delivered
from accountant.commands.file_checks import Answer, AnswerFormat, print_check, print_object
from accountant.commands.problems import ANSWER_IS_NO, say, told_problems
from accountant.errors import RateCardError

if TYPE_CHECKING:
    from accountant.rate_cards.price_list import PriceList
    from accountant.rate_cards.rate_files import RateFiles

_MOST_TOLD: Final = 10

rates_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Show, check, import and compare rate cards.",
)


class Source(StrEnum):
    """Whose price list an export is."""

    GENAI_PRICES = "genai-prices"
    RETAIL = "retail"


class RateLayout(StrEnum):
    """How rates are written; `csv` is a rate card again."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


Card = Annotated[
    Path | None, typer.Option("--rates", metavar="PATH", help="Default: shipped list prices.")
]
CheckedOn = Annotated[
    str | None,
    typer.Option(metavar="DATE", help="Day of the export. Default: when its file was written."),
]


@rates_app.command()
def show(
    at: Annotated[
        str | None, typer.Option(metavar="DATE", help="Only what holds on this UTC day.")
    ] = None,
    model: Annotated[str | None, typer.Option(metavar="NAME", help="Only this model.")] = None,
    layout: Annotated[RateLayout, typer.Option("--format", help="How.")] = RateLayout.TABLE,
    rates: Card = None,
) -> None:
    """Show the rates of a card, its drafts, its discounts and mark-ups."""
    with told_problems():
        day = _day("--at", at)
        found = _sound(_read([rates] if rates else None))
        chosen = _chosen(found, day, model)
        if not (chosen.rates or chosen.drafts):
            say("the card has no such rate")
            raise typer.Exit(ANSWER_IS_NO)
        if layout is RateLayout.CSV and chosen.rules:
            say(f"{len(chosen.rules):,} discounts and mark-ups are left out: this CSV has rates")
        with delivered(None) as write:
            write(_shown(chosen, layout))


@rates_app.command()
def check(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="TOML, CSV, directories.")],
    answer: AnswerFormat = Answer.TEXT,
) -> None:
    """Name every problem of files that are one card together, with its line."""

    def counts() -> dict[str, object]:
        found = _sound(_read(files))
        kinds = {"rates": found.rates, "drafts": found.drafts, "rules": found.rules}
        return {kind: len(rows) for kind, rows in kinds.items()}

    with told_problems():
        if answer is Answer.JSON:
            print_check(counts)
            return
        found = _sound(_read(files))
        for line in _counts(found):
            say(line)


@rates_app.command(name="import")
def import_(
    source: Annotated[Source, typer.Argument(help="Whose price list it is.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Its JSON export.")],
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write .toml or .csv, not to stdout.")
    ] = None,
    checked_on: CheckedOn = None,
) -> None:
    """Turn a price list into drafts, which price nothing until `draft` is removed from a row.

    genai-prices: its data.json. retail: JSON of https://prices.azure.com/api/retail/prices, one
    page or a list of pages.
    """
    from accountant.rate_cards.price_sources import read_price_list
    from accountant.rate_cards.rate_writing import rates_csv, rates_toml

    with told_problems():
        day = _day("--checked-on", checked_on)
        found = read_price_list(file, day, source.value)
        heading = (
            f"Drafts from {file.name} ({source.value}). They price nothing.",
            "Compare each with its source and your agreement, then remove its line `draft`.",
        )
        as_csv = out is not None and out.suffix.lower() == ".csv"
        text = rates_csv([], found.rates) if as_csv else rates_toml(heading, [], found.rates)
        _tell_left_out(found)
        if not found.rates:
            say(f"{file}: no price in it could be read")
            raise typer.Exit(ANSWER_IS_NO)
        with delivered(out) as write:
            write(text)
        say(f"{len(found.rates):,} drafts")


@rates_app.command()
def drift(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="JSON export of either source.")],
    at: Annotated[
        str | None, typer.Option(metavar="DATE", help="Compare this day. Default: the export's.")
    ] = None,
    checked_on: CheckedOn = None,
    rates: Card = None,
    answer: AnswerFormat = Answer.TEXT,
) -> None:
    """List the prices that differ from a price list's; exit 1 if any does."""
    from accountant.rate_cards.drift_table import drift_lines, drift_members
    from accountant.rate_cards.price_drift import drift as compare
    from accountant.rate_cards.price_sources import read_price_list

    with told_problems():
        card = _sound(_read([rates] if rates else None))
        source = read_price_list(file, _day("--checked-on", checked_on))
        days = [rate.checked_on for rate in source.rates if rate.checked_on]
        day = _day("--at", at) or (days[0] if days else date.max)
        found = compare(card.rates, source, day)
        if answer is Answer.JSON:
            print_object(drift_members(found, day, source.left_out))
        else:
            with delivered(None) as write:
                write("".join(f"{line}\n" for line in drift_lines(found)))
        _tell_left_out(source)
        say(
            f"{found.compared:,} prices compared as of {day}, {len(found.differences):,} differ; "
            f"{len(found.not_in_source):,} rows of the card are not in the source"
        )
        if found.differences or not found.compared:
            raise typer.Exit(ANSWER_IS_NO)


def _read(paths: Sequence[Path] | None) -> RateFiles:
    from accountant.rate_cards.rate_files import SHIPPED_RATES, read_rate_files

    return read_rate_files(paths or [SHIPPED_RATES])


def _sound(found: RateFiles) -> RateFiles:
    if found.problems:
        raise RateCardError(found.problems)
    return found


def _chosen(found: RateFiles, day: date | None, model: str | None) -> RateFiles:
    """What holds on the day, and is for the model; rules of every model are for it too."""
    from accountant.rate_cards.rate_files import RateFiles

    rates, drafts = (
        [
            rate
            for rate in each
            if (day is None or rate.holds_on(day)) and model in {None, rate.model}
        ]
        for each in (found.rates, found.drafts)
    )
    rules = [
        rule
        for rule in found.rules
        if (day is None or rule.holds_on(day)) and (model is None or rule.model in {None, model})
    ]
    return RateFiles(rates, drafts, rules, [])


def _shown(found: RateFiles, layout: RateLayout) -> str:
    from accountant.rate_cards.rate_table import rates_table
    from accountant.rate_cards.rate_writing import rates_csv, rates_json

    if layout is RateLayout.CSV:
        return rates_csv(found.rates, found.drafts)
    if layout is RateLayout.JSON:
        return rates_json(found.rates, found.drafts, found.rules)
    return rates_table(found.rates, found.drafts, found.rules)


def _counts(found: RateFiles) -> Iterable[str]:
    currency = found.rates[0].currency if found.rates else "no currency"
    yield f"no problem: {len(found.rates):,} rates in {currency}, {len(found.rules):,} rules"
    if found.drafts:
        yield f"{len(found.drafts):,} drafts price nothing until `draft` is removed"


def _tell_left_out(found: PriceList) -> None:
    """What could not be read, the most frequent first, cut to what can be taken in."""
    for words, count in found.left_out.most_common(_MOST_TOLD):
        say(f"left out {words} ({count:,} of them)")
    more = len(found.left_out) - _MOST_TOLD
    if more > 0:
        say(f"left out {more:,} more kinds")


def _day(option: str, text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        problem = f"{option}: {text!r} is not a day; write it as YYYY-MM-DD, such as 2026-10-01"
        raise RateCardError([problem]) from None
