"""The provider's side by its invoice: tokens and money by resource, meter and day."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Context, Decimal
from pathlib import Path
from typing import Final

import msgspec

from accountant.money import EXACT, ZERO
from accountant.reconciliation.csv_files import Problems
from accountant.reconciliation.invoice_rows import InvoiceRow, invoice_rows
from accountant.reconciliation.items import Day, Item
from accountant.reconciliation.naming import Naming
from accountant.reconciliation.sides import Apart, ApartKind, Provided, ProviderSide
from tollgate.usage.periods import Month

_KINDS: Final[dict[str, ApartKind]] = {
    "tax": "tax",
    "credit": "credit",
    "refund": "credit",
    "purchase": "purchase",
}
_WORDS: Final[dict[ApartKind, str]] = {
    "tax": "taxes",
    "credit": "credits and refunds",
    "purchase": "purchases, as of reservations",
    "adjustment": "adjustments and what else is no usage",
    "other_service": "other services",
}
# Exports tell quantities and amounts in digits between these; more are noise of floats.
_FEWEST_DIGITS: Final = 2
_MOST_DIGITS: Final = 9
_WIDE: Final = Context(prec=80)
_HALF: Final = Decimal("0.5")


class Wanted(msgspec.Struct, frozen=True):
    """What of an invoice is compared, and our names for it."""

    period: Month
    currency: str
    naming: Naming


def invoice_side(paths: Sequence[Path], wanted: Wanted, problems: Problems) -> ProviderSide:
    """Add up the rows that are usage of Azure OpenAI in the month and currency; the rest is apart.

    Args:
        paths: The files.
        wanted: The month, the rate card's currency, and our names.
        problems: Gets rows that are bad, of several days, or in two files; and that no row is in
            the currency, if there are some in others.
    """
    apart = _ApartRows()
    compared: list[tuple[InvoiceRow, int, Item]] = []
    for row in invoice_rows(paths, problems):
        kind = _kept_apart(row, wanted)
        if kind is not None or row.block is None:
            apart.add(kind or "other_units", row)
        else:
            compared.append((row, row.block, _item(row, wanted.naming)))
    _check(compared, apart, wanted.currency, problems)
    return ProviderSide(
        source="invoice",
        of=tuple(path.name for path in paths),
        counts=_counts(compared),
        apart=apart.sums(),
        currency=wanted.currency,
    )


def _kept_apart(row: InvoiceRow, wanted: Wanted) -> ApartKind | None:
    if row.kind != "usage":
        return _KINDS.get(row.kind, "adjustment")
    if not _is_openai(row, wanted.naming):
        return "other_service"
    if not wanted.period.start.date() <= row.day < wanted.period.end.date():
        return "other_month"
    if row.currency != wanted.currency:
        return "other_currency"
    return "by_the_hour" if row.by_time else None


def _is_openai(row: InvoiceRow, naming: Naming) -> bool:
    service = row.service.lower()
    if "openai" in service or row.meter.lower().startswith("azure openai"):
        return True
    return "foundry models" in service and naming.meter(row.meter) is not None


def _item(row: InvoiceRow, naming: Naming) -> Item:
    backend, meter = naming.backend(row.resource), naming.meter(row.meter)
    if meter is None:
        return Item(backend=backend, meter=row.meter)
    return Item(
        backend=backend,
        model=meter.model,
        model_version=meter.model_version,
        scope=meter.scope,
        deployment_type=meter.deployment_type,
        service_tier=meter.service_tier,
        meter=meter.meter,
    )


def _check(
    compared: Sequence[tuple[InvoiceRow, int, Item]],
    apart: _ApartRows,
    currency: str,
    problems: Problems,
) -> None:
    others = apart.currencies("other_currency")
    if others and not compared:
        told = ", ".join(f"{count:,} in {name}" for name, count in sorted(others.items()))
        problems.add(
            f"the invoice has no usage of Azure OpenAI in {currency}, but {told}: "
            "give --rates or --currency in one of these"
        )
    seen: dict[InvoiceRow, str] = {}
    for row, _, _ in compared:
        if (row.end - row.day).days != 1:
            problems.add(f"{row.place}: is of {(row.end - row.day).days} days; export it by day")
        earlier = seen.setdefault(msgspec.structs.replace(row, place=""), row.place)
        if _file(earlier) != _file(row.place):
            problems.add(f"{row.place}: is in {earlier}, too: the exports overlap")


def _file(place: str) -> str:
    return place.rpartition(": line ")[0]


def _counts(compared: Sequence[tuple[InvoiceRow, int, Item]]) -> dict[Day, Provided]:
    counts_blocks = _counts_blocks((row, block) for row, block, _ in compared)
    units = {block: block if counts_blocks else 1 for _, block, _ in compared}
    digits = defaultdict[int, int](lambda: _FEWEST_DIGITS)
    amount_digits = _FEWEST_DIGITS
    for row, block, _ in compared:
        digits[block] = max(digits[block], _digits(row.quantity))
        amount_digits = max(amount_digits, _digits(row.amount))
    half_amount = _HALF.scaleb(-amount_digits)
    counts: defaultdict[Day, Provided] = defaultdict(Provided)
    for row, block, item in compared:
        tokens = _WIDE.multiply(row.quantity, Decimal(units[block]))
        whole = tokens.to_integral_value(ROUND_HALF_EVEN)
        counts[row.day, item].add(
            Provided(
                quantity=int(whole),
                amount=row.amount,
                rounding=_half(units[block], digits[block]) or int(whole != tokens),
                amount_rounding=half_amount,
            )
        )
    return dict(counts)


def _counts_blocks(rows: Iterable[tuple[InvoiceRow, int]]) -> bool:
    """Whether quantities count `1K` or `1M`, rather than tokens."""
    verdicts = Counter[bool]()
    fractions = False
    for row, block in rows:
        if block > 1 and row.quantity:
            fractions = fractions or row.quantity != row.quantity.to_integral_value()
            if row.price and row.amount:
                ratio = _WIDE.divide(row.amount, _WIDE.multiply(row.quantity, row.price))
                verdicts[ratio * ratio * block > 1] += 1
    return verdicts[True] > verdicts[False] if verdicts else fractions


def _digits(number: Decimal) -> int:
    """How many decimals a number is told in."""
    exponent = number.as_tuple().exponent
    return min(max(-int(exponent), 0), _MOST_DIGITS)


def _half(unit: int, digits: int) -> int:
    """Half of the last digit of a quantity in tokens, rounded up; 0 if it tells each token."""
    step = Decimal(unit).scaleb(-digits)
    return int((step / 2).to_integral_value(ROUND_CEILING)) if step > 1 else 0


class _ApartRows:
    """Adds up what is not compared."""

    def __init__(self) -> None:
        self._rows = Counter[tuple[ApartKind, str, str, str]]()
        self._quantities: defaultdict[tuple[ApartKind, str, str, str], Decimal]
        self._quantities = defaultdict(lambda: ZERO)
        self._amounts: defaultdict[tuple[ApartKind, str, str, str], Decimal]
        self._amounts = defaultdict(lambda: ZERO)

    def add(self, kind: ApartKind, row: InvoiceRow) -> None:
        words = _WORDS.get(kind)
        what = words or _words(kind, row)
        key = (kind, what, "" if words else row.unit, row.currency)
        self._rows[key] += 1
        self._quantities[key] = _WIDE.add(self._quantities[key], row.quantity)
        self._amounts[key] = EXACT.add(self._amounts[key], row.amount)

    def currencies(self, kind: ApartKind) -> Counter[str]:
        found = Counter[str]()
        for (each, _, _, currency), count in self._rows.items():
            found[currency] += count * (each == kind)
        return +found

    def sums(self) -> tuple[Apart, ...]:
        return tuple(
            Apart(
                kind=kind,
                what=what,
                rows=self._rows[kind, what, unit, currency],
                quantity=self._quantities[kind, what, unit, currency] if unit else None,
                unit=unit or None,
                amount=self._amounts[kind, what, unit, currency],
                currency=currency,
            )
            for kind, what, unit, currency in sorted(self._rows)
        )


def _words(kind: ApartKind, row: InvoiceRow) -> str:
    if kind == "other_month":
        return f"of another month, {row.day:%Y-%m}"
    return f"in another currency, {row.meter}" if kind == "other_currency" else row.meter
