"""What each column of FOCUS says of a charge."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Final

from accountant.charges import Charge, Correction
from accountant.csv_text import OVERFLOW_CELL
from accountant.exports.books import Books
from accountant.exports.focus_columns import Cell, named_for_the_validator
from accountant.exports.focus_shared import PROVISIONED, shared_cells, sides
from accountant.exports.focus_sku import consumed_cells, json_cell, price_cells, sku_cells
from accountant.money import amount_of
from tollgate.ledger.cells import OVERFLOW

PUBLISHER: Final = "Microsoft"


def focus_cells(charge: Charge, books: Books) -> Iterator[dict[str, Cell]]:
    """A charge's rows: every column of every version by name; a name that is absent is null.

    It is one row, but for what a reservation covers, which is bought in one and used in another.

    Raises:
        NoStatementNumber: The month is closed, and the tenant has no statement in it.
    """
    for side in sides(charge):
        yield named_for_the_validator(
            {
                **_booked(side, books),
                **_costs(side),
                **_consumed(side),
                **(shared_cells(side, side.allocation) if side.allocation else {}),
                **_payer(side),
                **(_corrected(side.correction) if side.correction else {}),
            }
        )


def _booked(charge: Charge, books: Books) -> Mapping[str, Cell]:
    number = books.statement_number(charge.tenant)
    return {
        "BillingAccountId": books.account,
        "BillingAccountName": books.account,
        "BillingAccountType": "Chargeback",
        "BillingCurrency": books.currency,
        "BillingPeriodStart": books.period.start.date(),
        "BillingPeriodEnd": books.period.end.date(),
        "ChargePeriodStart": charge.start,
        "ChargePeriodEnd": charge.end,
        "ChargeCategory": "Adjustment" if charge.category == "Rounding" else charge.category,
        "ChargeClass": "Correction" if charge.correction else None,
        "ChargeDescription": charge.description,
        "ChargeFrequency": _frequency(charge),
        "InvoiceId": number,
        "InvoiceIssuerName": books.issuer,
        "PricingCurrency": books.currency,
        "ProviderName": books.issuer,
        "PublisherName": PUBLISHER,
        "ServiceCategory": "AI and Machine Learning",
        "ServiceName": "Azure OpenAI",
        "ServiceSubcategory": "Generative AI",
        "x_InvoiceId": number,
        "x_RateCardVersion": books.edition.rate_card,
        "x_Status": books.edition.status,
    }


def _frequency(charge: Charge) -> str:
    """A part of a cost comes again every month; what provisioned throughput served is by use."""
    if charge.allocation and charge.allocation.method not in PROVISIONED:
        return "Recurring"
    if charge.category == "Usage":
        return "Usage-Based"
    return "Recurring" if charge.allocation and charge.category == "Purchase" else "One-Time"


def _costs(charge: Charge) -> Mapping[str, Cell]:
    """What is billed; what has no price costs the same by any other measure."""
    return {
        "BilledCost": charge.amount,
        "EffectiveCost": charge.effective,
        "PricingCurrencyEffectiveCost": charge.effective,
        "ContractedCost": charge.amount,
        "ListCost": charge.amount,
    }


def _consumed(charge: Charge) -> Mapping[str, Cell]:
    """What was used or bought, and at which price, if that is what the amount was made with."""
    consumed = charge.consumed
    if consumed is None:
        return {}
    return {
        **(price_cells(consumed, charge.price) if charge.price and _holds(charge) else {}),
        **sku_cells(consumed),
        **(consumed_cells(consumed) if charge.category == "Usage" else {}),
    }


def _holds(charge: Charge) -> bool:
    """Whether a price tells the cost: a correction may be a difference between two prices."""
    consumed, price = charge.consumed, charge.price
    if not (charge.correction and consumed and price):
        return True
    return amount_of(consumed.quantity, price.charged, price.per) == charge.amount


def _payer(charge: Charge) -> Mapping[str, Cell]:
    """The tenant is the sub-account; no reader takes its id for a number."""
    code = charge.billing_code
    tags = {"tenant": charge.tenant, "billing_code": code}
    if code == OVERFLOW:
        tags |= {"billing_code": OVERFLOW_CELL, "overflow": "true"}
    return {
        "SubAccountId": f"tenant/{charge.tenant}",
        "SubAccountName": charge.tenant,
        "SubAccountType": "Tenant",
        "Tags": json_cell(tags),
        "x_BillingCode": code,
        "x_Tenant": charge.tenant,
    }


def _corrected(correction: Correction) -> Mapping[str, Cell]:
    return {
        "x_CorrectedInvoiceId": correction.statement,
        "x_CorrectedLine": None if correction.line is None else Decimal(correction.line),
        "x_CorrectedPeriod": correction.month,
        "x_CorrectionReason": correction.reason,
    }
