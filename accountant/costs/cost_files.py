"""Reads files of fixed costs and who pays, and reports every problem at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final, TypeVar

import msgspec
from pydantic import BaseModel

from accountant.costs.cost_centres import CostCentreRow, cost_centre_clashes
from accountant.costs.dated_rows import PlacedRow
from accountant.costs.exchange_rates import ExchangeRow, exchange_clashes
from accountant.costs.provisioned_rows import ProvisionedRow, provisioned_clashes
from accountant.costs.reassignments import ReassignRow, reassign_clashes
from accountant.costs.shared_rows import OnceRow, SharedRow, shared_clashes, written_twice
from accountant.errors import CostsError
from accountant.rate_cards.rate_csv import Columns
from accountant.rate_cards.rate_files import checked, files_in, keys_of
from accountant.rate_cards.rate_rows import Currency
from accountant.rate_cards.rate_tables import read_rows
from accountant.rate_cards.raw_rows import RawRow, RowKeys

BOOKS: Final = "books"


class BooksTable(PlacedRow):
    """`[books]`: in which currency they are kept."""

    currency: Currency


KINDS: Final[dict[str, type[PlacedRow]]] = {
    "ptu": ProvisionedRow,
    "shared": SharedRow,
    "credit": OnceRow,
    "charge": OnceRow,
    "reassign": ReassignRow,
    "cost_centre": CostCentreRow,
    "fx": ExchangeRow,
    BOOKS: BooksTable,
}
_ROWS: Final[dict[str, type[BaseModel]]] = {**KINDS}
_KEYS: Final = keys_of(_ROWS)
# Tables and lists have no column.
_NO_COLUMN: Final = "shares"
_WHOLE: Final = frozenset({"ptus", "input_tokens_per_minute_per_ptu"})


class Costs(msgspec.Struct, frozen=True, kw_only=True):
    """What is owed beside tokens, who pays for what, and in which currency.

    Args:
        provisioned: What is paid for by the hour.
        shared: What is shared out.
        credits: What is taken off.
        charges: What is added.
        reassignments: Who pays for usage that was booked for another.
        cost_centres: Where it is posted.
        exchange: What one currency is in another.
        currency: ISO 4217, that of the books; None is the rate card's.
        version: A digest of all that the rows say, wherever they stand.
    """

    provisioned: tuple[ProvisionedRow, ...] = ()
    shared: tuple[SharedRow, ...] = ()
    credits: tuple[OnceRow, ...] = ()
    charges: tuple[OnceRow, ...] = ()
    reassignments: tuple[ReassignRow, ...] = ()
    cost_centres: tuple[CostCentreRow, ...] = ()
    exchange: tuple[ExchangeRow, ...] = ()
    currency: str | None = None
    version: str | None = None


def load_costs(*paths: Path) -> Costs:
    """Read files, and every `*.toml` and `*.csv` of directories, as one.

    Raises:
        CostsError: With every problem of every file.
    """
    problems: list[str] = []
    rows: dict[str, list[PlacedRow]] = {kind: [] for kind in KINDS}
    for file in files_in(paths, problems):
        raws, wrong = read_rows(file, _KEYS, _columns, frozenset({BOOKS}))
        problems += wrong
        for raw in raws:
            if row := _row(raw, problems):
                rows[raw.kind].append(row)
    found = _costs(rows)
    problems += [*_clashes(found), *_two_currencies(_of(rows, BooksTable, BOOKS))]
    if not (problems or any(rows.values())):
        problems.append(f"{', '.join(map(str, paths))}: says nothing: there is no row")
    if problems:
        raise CostsError(problems)
    return found


def _row(raw: RawRow, problems: list[str]) -> PlacedRow | None:
    row = checked(raw, KINDS[raw.kind], problems)
    return row and row.at(raw.place())


def _columns(_: Sequence[str], keys: RowKeys) -> Columns:
    """A CSV file says the kind of every row; its columns are those of all kinds."""
    kinds = tuple(kind for kind in keys if kind != BOOKS)
    known = {name: False for kind in kinds for name in keys[kind] if name != _NO_COLUMN}
    return Columns(
        known={**known, "kind": True},
        kinds=kinds,
        whole=_WHOLE,
        truths=frozenset({"without_code"}),
    )


Kind = TypeVar("Kind", bound=PlacedRow)


def _of(rows: dict[str, list[PlacedRow]], kind: type[Kind], name: str) -> tuple[Kind, ...]:
    return tuple(row for row in rows[name] if isinstance(row, kind))


def _costs(rows: dict[str, list[PlacedRow]]) -> Costs:
    books = _of(rows, BooksTable, BOOKS)
    return Costs(
        provisioned=_of(rows, ProvisionedRow, "ptu"),
        shared=_of(rows, SharedRow, "shared"),
        credits=_of(rows, OnceRow, "credit"),
        charges=_of(rows, OnceRow, "charge"),
        reassignments=_of(rows, ReassignRow, "reassign"),
        cost_centres=_of(rows, CostCentreRow, "cost_centre"),
        exchange=_of(rows, ExchangeRow, "fx"),
        currency=books[0].currency if books else None,
        version=_version(rows),
    )


def _clashes(costs: Costs) -> list[str]:
    return [
        *provisioned_clashes(costs.provisioned),
        *shared_clashes(costs.shared),
        *written_twice(costs.credits),
        *written_twice(costs.charges),
        *reassign_clashes(costs.reassignments),
        *cost_centre_clashes(costs.cost_centres),
        *exchange_clashes(costs.exchange),
    ]


def _two_currencies(books: Iterable[BooksTable]) -> list[str]:
    first, *others = [*books] or [None]
    return [
        f"{other.place}: currency: the books are in {first.currency} by {first.place}"
        for other in others
        if first and other and other.currency != first.currency
    ]


def _version(rows: dict[str, list[PlacedRow]]) -> str:
    said = sorted(
        f"{kind} {row.model_dump_json(by_alias=True)}" for kind in rows for row in rows[kind]
    )
    return sha256("\n".join(said).encode()).hexdigest()[:12]
