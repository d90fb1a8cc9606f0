"""One compared line: both counts, what explains their difference, and what does not."""

from __future__ import annotations

from datetime import date
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Final, Literal

import msgspec

from accountant.money import EXACT, ZERO, total
from accountant.reconciliation.causes import Cause, Evidence, causes_of
from accountant.reconciliation.items import Item

Status = Literal["agrees", "explained", "tolerated", "unexplained", "unsettled"]

# A part of an amount is worked out to so many digits; the rest stays in what is unexplained.
_DIGITS: Final = Decimal("1E-12")
_WIDE: Final = Context(prec=60, rounding=ROUND_HALF_EVEN)


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One item on one UTC day. Differences are the provider's count less the ledger's.

    Args:
        day: The UTC day.
        item: What is compared.
        ledger: The ledger's count; None: it has nothing.
        provider: The provider's count; None: it has nothing.
        ledger_amount: What the ledger's costs by the rate card; None: it has no price, or no money
            is compared.
        provider_amount: What the provider's costs.
        causes: What explains the differences.
        unexplained: What of the quantity nothing explains.
        unexplained_amount: The same of the money; None where no money is compared.
        unpriced: How much of the ledger's count has no rate, and so no amount; it explains nothing.
        status: `agrees`, `explained`, `tolerated` (the rest is within the tolerance),
            `unexplained`, or `unsettled` (the provider may still add to the day).
    """

    day: date
    item: Item
    ledger: int | None
    provider: int | None
    ledger_amount: Decimal | None
    provider_amount: Decimal | None
    causes: tuple[Cause, ...]
    unexplained: int
    unexplained_amount: Decimal | None
    unpriced: int
    status: Status

    @property
    def difference(self) -> int:
        """The difference in quantity."""
        return (self.provider or 0) - (self.ledger or 0)

    @property
    def amount_difference(self) -> Decimal | None:
        """The difference in money; None where no money is compared."""
        if self.unexplained_amount is None:
            return None
        return EXACT.subtract(self.provider_amount or ZERO, self.ledger_amount or ZERO)


def line_of(
    day: date, evidence: Evidence, *, tolerance: Decimal, money: bool, settled: bool
) -> Line:
    """Compare one item on one day.

    Args:
        day: The UTC day.
        evidence: What is known of it.
        tolerance: Which part of the provider's count may remain unexplained, as 0.01.
        money: Whether both sides have amounts.
        settled: Whether the provider adds nothing more to the day.
    """
    provided, booked = evidence.provided, evidence.booked
    causes, rest = causes_of(evidence)
    rest_of_money = None
    if money:
        causes, rest_of_money = _in_money(evidence, causes)
    line = Line(
        day=day,
        item=evidence.item,
        ledger=booked.quantity if booked else None,
        provider=provided.quantity if provided else None,
        ledger_amount=booked.amount if booked and booked.unpriced < booked.quantity else None,
        provider_amount=provided.amount if provided else None,
        causes=tuple(causes),
        unexplained=rest,
        unexplained_amount=rest_of_money,
        unpriced=booked.unpriced if booked else 0,
        status="unsettled",
    )
    return msgspec.structs.replace(line, status=_status(line, tolerance)) if settled else line


def _status(line: Line, tolerance: Decimal) -> Status:
    if not line.unexplained and not line.unexplained_amount:
        return "explained" if line.causes else "agrees"
    allowed = EXACT.multiply(Decimal(line.provider or 0), tolerance)
    allowed_amount = EXACT.multiply(abs(line.provider_amount or ZERO), tolerance)
    within = abs(line.unexplained) <= allowed
    within_amount = abs(line.unexplained_amount or ZERO) <= allowed_amount
    return "tolerated" if within and within_amount else "unexplained"


def _in_money(evidence: Evidence, causes: list[Cause]) -> tuple[list[Cause], Decimal]:
    """The causes with their amounts, and what of the money they leave."""
    provided, booked = evidence.provided, evidence.booked
    billed = (provided and provided.amount) or ZERO
    owed = (booked and booked.amount) or ZERO
    rest = EXACT.subtract(billed, owed)
    found = [_priced(evidence, cause) for cause in causes]
    rest = EXACT.subtract(rest, total(cause.amount or ZERO for cause in found))
    bound = provided.amount_rounding if provided else ZERO
    if rest and abs(rest) <= bound + _DIGITS * len(found):
        found = _with_rounding(found, rest)
        rest = ZERO
    return found, rest


def _priced(evidence: Evidence, cause: Cause) -> Cause:
    """The cause with its amount: at the provider's price, or else at the rate card's."""
    for side in (evidence.provided, evidence.booked):
        if side and side.quantity and side.amount:
            exact = _WIDE.multiply(Decimal(cause.quantity), side.amount)
            each = _WIDE.divide(exact, Decimal(side.quantity)).quantize(_DIGITS, context=_WIDE)
            return msgspec.structs.replace(cause, amount=each)
    return msgspec.structs.replace(cause, amount=ZERO)


def _with_rounding(causes: list[Cause], amount: Decimal) -> list[Cause]:
    known = [cause for cause in causes if cause.kind == "rounding"]
    quantity = sum(cause.quantity for cause in known)
    amount = EXACT.add(amount, total(cause.amount or ZERO for cause in known))
    rest = [cause for cause in causes if cause.kind != "rounding"]
    return [*rest, Cause(kind="rounding", quantity=quantity, amount=amount)]
