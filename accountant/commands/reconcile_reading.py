"""Reads both sides of a reconciliation: the ledger once, then each source that was named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path

import msgspec

from accountant.commands.azure_sources import log_rows, monitor_documents
from accountant.commands.charge_reader import Asked
from accountant.commands.drafts import open_drafts
from accountant.commands.problems import read_month
from accountant.commands.sources import open_ledger
from accountant.costs.cost_centres import CostCentres
from accountant.reconciliation.blocked_prompts import only_places, with_blocked
from accountant.reconciliation.csv_files import Problems
from accountant.reconciliation.gateway_log import log_side
from accountant.reconciliation.invoice import Wanted, invoice_side
from accountant.reconciliation.items import FOLDINGS, Item, Source
from accountant.reconciliation.ledger_side import LedgerReading
from accountant.reconciliation.map_file import read_map
from accountant.reconciliation.metrics import metrics_side, read_metrics
from accountant.reconciliation.metrics_points import Point, metrics_points
from accountant.reconciliation.naming import Naming, ResourceMap
from accountant.reconciliation.reconcile import Reconciliation, Terms, reconcile
from accountant.reconciliation.sides import ProviderSide
from accountant.reports.kept_aside import Ledger
from tollgate.usage.periods import Month
from tollgate.usage.sku import Sku


class Sources(msgspec.Struct, frozen=True, kw_only=True):
    """What to compare a month with, as typed.

    Args:
        month: The month.
        asked: Whose books: the ledger, and for an invoice the prices.
        invoice: Parts of one invoice.
        metrics: Parts of one saved answer of Azure Monitor.
        monitor: Whether to ask Azure Monitor.
        workspace: Whose log of the gateway to ask; None asks none.
        names: The map of Azure's names; None has the ledger's.
        terms: How to compare.
    """

    month: Month
    asked: Asked
    invoice: tuple[Path, ...] = ()
    metrics: tuple[Path, ...] = ()
    monitor: bool = False
    workspace: str | None = None
    names: Path | None = None
    terms: Terms

    @property
    def kinds(self) -> list[Source]:
        """What is asked for; empty: there is nothing to compare with."""
        asked: dict[Source, object] = {
            "metrics": self.metrics or self.monitor,
            "log": self.workspace is not None,
            "invoice": self.invoice,
        }
        return [kind for kind, is_asked in asked.items() if is_asked]


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """What was found.

    Args:
        found: One a source.
        owed: Of the invoice: the exact amounts by item and tenant.
        requests: How many the ledger has in the month.
        cost_centres: Where charges are posted; None: no costs say so.
    """

    found: tuple[Reconciliation, ...]
    owed: Mapping[tuple[Item, str], Decimal]
    requests: int
    cost_centres: CostCentres | None


def compare(sources: Sources) -> Compared:
    """Read and compare.

    Args:
        sources: What to compare with.

    Raises:
        TollgateError: Something cannot be read; if these are files, it has every problem.
    """
    names = read_map(sources.names) if sources.names else ResourceMap()
    with open_ledger(sources.asked.redis_url) as ledger:
        books = _Books(ledger, sources)
    if sources.invoice:
        books.add_prices(sources.asked)
    naming = Naming(names, books.backends, books.deployments)
    problems = Problems()
    sides = [*_sides(sources, names, naming, books.currency, problems)]
    problems.check()
    sides = _with_blocked(sides, books)
    return Compared(
        found=tuple(
            reconcile(books.readings[side.source].side(side.currency), side, sources.terms)
            for side in sides
        ),
        owed=books.readings["invoice"].owed if sources.invoice else {},
        requests=books.requests,
        cost_centres=books.cost_centres,
    )


class _Books:
    """The ledger's month, read once for all sources."""

    def __init__(self, ledger: Ledger, sources: Sources) -> None:
        self.readings = {kind: LedgerReading(FOLDINGS[kind]) for kind in sources.kinds}
        self.skus: set[Sku] = set()
        self.requests = 0
        self.currency: str | None = None
        self.cost_centres: CostCentres | None = None
        for cell in ledger.money_cells(sources.month):
            self.requests += cell.usage.requests
            self.skus.add(cell.sku)
            for reading in self.readings.values():
                reading.add_cell(cell)

    def add_prices(self, asked: Asked) -> None:
        """Read what the same usage is charged at: by the ledger, as corrections of it are, too."""
        with open_drafts(asked) as drafts:
            reader = drafts.plain(read_month(asked.period))
            self.readings["invoice"].add_charges(reader.read())
            self.currency, self.cost_centres = reader.currency, reader.cost_centres

    @property
    def backends(self) -> set[str]:
        return {sku.backend for sku in self.skus if sku.backend}

    @property
    def deployments(self) -> set[str]:
        return {sku.deployment for sku in self.skus if sku.deployment}


def _with_blocked(sides: Sequence[ProviderSide], books: _Books) -> list[ProviderSide]:
    """The sides, where the invoice's knows what Azure Monitor knows of blocked prompts."""
    metrics = next((side for side in sides if side.source == "metrics"), None)
    places = only_places((sku, FOLDINGS["invoice"].place(sku)) for sku in books.skus)
    return [
        with_blocked(side, metrics, places) if metrics and side.source == "invoice" else side
        for side in sides
    ]


def _sides(
    sources: Sources,
    names: ResourceMap,
    naming: Naming,
    currency: str | None,
    problems: Problems,
) -> Iterator[ProviderSide]:
    month = sources.month
    if sources.metrics:
        points = read_metrics(sources.metrics, problems)
        of = [path.name for path in sources.metrics]
        yield metrics_side(points, month, naming, of, problems)
    if sources.monitor:
        documents = monitor_documents(names.resources, month, sources.terms.now)
        points = _points(documents, problems)
        yield metrics_side(points, month, naming, ["as asked"], problems)
    if sources.workspace is not None:
        rows = log_rows(sources.workspace, month)
        yield log_side(rows, month, naming, f"workspace {sources.workspace}")
    if currency is not None:
        yield invoice_side(sources.invoice, Wanted(month, currency, naming), problems)


def _points(documents: list[bytes], problems: Problems) -> Iterator[Point]:
    for document in documents:
        yield from metrics_points(document, "Azure Monitor", problems)
