"""The provider's side by Azure Monitor: tokens and requests by resource, deployment and day."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Final

from accountant.reconciliation.csv_files import Problems, Spellings, csv_rows, number_of
from accountant.reconciliation.invoice_rows import day_of
from accountant.reconciliation.items import COMPLETION, PROMPT, REQUESTS, Day, Item
from accountant.reconciliation.metrics_points import (
    GENERATED_TOKENS,
    METRICS,
    PROMPT_TOKENS,
    REQUEST_COUNT,
    Point,
    metrics_points,
)
from accountant.reconciliation.naming import Naming
from accountant.reconciliation.sides import Apart, ApartKind, Provided, ProviderSide
from tollgate.usage.periods import Month

_TOKENS: Final = {PROMPT_TOKENS: PROMPT, GENERATED_TOKENS: COMPLETION}
_COLUMNS: Final[Spellings] = {
    "day": ("Day", "Date", "TimeStamp"),
    "resource": ("Resource", "ResourceId"),
    "deployment": ("Deployment", "ModelDeploymentName"),
    "metric": ("Metric", "MetricName"),
    "total": ("Total", "Value"),
}
_OPTIONAL: Final[Spellings] = {"status": ("StatusCode", "Status")}
_BLOCKED: Final = "400"
_BROKEN: Final = frozenset({"408", "499"})


def read_metrics(paths: Sequence[Path], problems: Problems) -> Iterator[Point]:
    """The points of saved answers (`.json`) and of tables (`.csv`)."""
    for path in paths:
        if path.suffix.lower() == ".csv":
            yield from _table(path, problems)
        else:
            try:
                document = path.read_bytes()
            except OSError as error:
                problems.add(f"{path}: cannot be read: {error.strerror}")
                continue
            yield from metrics_points(document, str(path), problems)


def metrics_side(
    points: Iterable[Point], period: Month, naming: Naming, of: Sequence[str], problems: Problems
) -> ProviderSide:
    """Add up the month's points.

    Requests are those that were answered 2xx; failed ones stand apart. A metric that is not there
    at all, or requests that are not split by status, are said to be silent.

    Args:
        points: Of all answers.
        period: The month.
        naming: Finds our names.
        of: What the points are from.
        problems: Gets points that are there twice.
    """
    sums = _Sums(naming)
    seen: set[tuple[str, ...]] = set()
    start, end = period.start.date(), period.end.date()
    for point in points:
        if point.series in seen:
            problems.add(f"{point.place}: is there twice")
        seen.add(point.series)
        if start <= point.day < end:
            sums.add(point)
        else:
            sums.leave("other_month", f"of another month, {point.day:%Y-%m}", point)
    return ProviderSide(
        source="metrics",
        of=tuple(of),
        counts=sums.counts,
        apart=sums.apart(),
        silent=frozenset({PROMPT, COMPLETION, REQUESTS} - sums.told),
    )


class _Sums:
    """Adds up points."""

    def __init__(self, naming: Naming) -> None:
        self.counts: defaultdict[Day, Provided] = defaultdict(Provided)
        self.told: set[str] = set()
        self._naming = naming
        self._apart = Counter[tuple[ApartKind, str, str]]()
        self._points = Counter[tuple[ApartKind, str, str]]()

    def add(self, point: Point) -> None:
        if meter := _TOKENS.get(point.metric):
            self.told.add(meter)
        elif point.status is None:
            self.leave("no_status", "requests that are not split by StatusCode", point)
            return
        self.told.add(meter or REQUESTS)
        if not point.deployment:
            self.leave("no_deployment", "of no deployment", point)
        elif meter:
            self._count(point, meter, Provided(quantity=point.total))
        else:
            self._add_requests(point, point.status or "")

    def _add_requests(self, point: Point, status: str) -> None:
        if status.startswith("2"):
            self._count(point, REQUESTS, Provided(quantity=point.total))
            return
        self.leave("failed_requests", f"requests answered {status}", point)
        broken = status.startswith("5") or status in _BROKEN
        failed = Provided(blocked=point.total * (status == _BLOCKED), broken=point.total * broken)
        for meter in (REQUESTS, PROMPT) if failed != Provided() else ():
            self._count(point, meter, failed)

    def leave(self, kind: ApartKind, what: str, point: Point) -> None:
        unit = "request" if point.metric == REQUEST_COUNT else "token"
        self._apart[kind, what, unit] += point.total
        self._points[kind, what, unit] += 1

    def apart(self) -> tuple[Apart, ...]:
        return tuple(
            Apart(
                kind=kind,
                what=what,
                rows=rows,
                quantity=Decimal(self._apart[kind, what, unit]),
                unit=unit,
            )
            for (kind, what, unit), rows in sorted(self._points.items())
            if self._apart[kind, what, unit]
        )

    def _count(self, point: Point, meter: str, provided: Provided) -> None:
        if not point.total:
            return
        item = Item(
            backend=self._naming.backend(point.resource),
            deployment=self._naming.deployment(point.resource, point.deployment),
            meter=meter,
        )
        self.counts[point.day, item].add(provided)


def _table(path: Path, problems: Problems) -> Iterator[Point]:
    for place, cells in csv_rows(path, _COLUMNS, _OPTIONAL, problems):
        day, total = day_of(cells["day"]), number_of(cells["total"])
        metric = METRICS.get(cells["metric"].lower())
        whole = total is not None and total >= 0 and total == total.to_integral_value()
        if day is None:
            problems.add(f"{place}: day: {cells['day'][:40]!r} is no day, as 2026-10-31")
        if not whole:
            problems.add(f"{place}: total: {cells['total'][:40]!r} is no count")
        if metric is None:
            known = ", ".join(METRICS.values())
            problems.add(f"{place}: metric: {cells['metric'][:40]!r} is none of {known}")
        if day is not None and total is not None and whole and metric is not None:
            yield Point(
                resource=cells["resource"],
                metric=metric,
                deployment=cells["deployment"],
                status=cells["status"] or None,
                day=day,
                total=int(total),
                series=(
                    *(cells[name].lower() for name in ("resource", "metric", "deployment")),
                    cells["status"],
                    cells["day"],
                ),
                place=place,
            )
