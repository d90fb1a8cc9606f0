"""The columns of a month's charges as a table for BI, and what each says of a charge."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

import msgspec

from accountant.charges import Allocation, Charge, Correction, Uncharged
from accountant.csv_text import OVERFLOW_CELL
from accountant.exports.books import Books
from tollgate.ledger.cells import OVERFLOW
from tollgate.usage.sku import Sku

# 20 digits before the point and 18 after it: DuckDB's widest.
DECIMAL: Final = "DECIMAL(38,18)"
COLUMNS: Final = {
    "period": "VARCHAR",
    "month_status": "VARCHAR",
    "statement_number": "VARCHAR",
    "rate_card": "VARCHAR",
    "tenant": "VARCHAR",
    "billing_code": "VARCHAR",
    "overflow": "BOOLEAN",
    "user": "VARCHAR",
    "start_day": "DATE",
    "end_day": "DATE",
    "category": "VARCHAR",
    "status": "VARCHAR",
    **dict.fromkeys(Sku.__struct_fields__, "VARCHAR"),
    "meter": "VARCHAR",
    "quantity": "BIGINT",
    "unit": "VARCHAR",
    "requests": "BIGINT",
    "per": "BIGINT",
    "list_unit_price": DECIMAL,
    "unit_price": DECIMAL,
    "amount": DECIMAL,
    "effective_amount": DECIMAL,
    "currency": "VARCHAR",
    "shared_cost": "VARCHAR",
    "shared_method": "VARCHAR",
    "share": DECIMAL,
    "shared_whole": DECIMAL,
    "commitment": "VARCHAR",
    "correction": "BOOLEAN",
    "corrected_month": "VARCHAR",
    "corrected_statement": "VARCHAR",
    "corrected_line": "BIGINT",
    "correction_reason": "VARCHAR",
    "description": "VARCHAR",
}
Value = str | int | bool | Decimal | date | None
Row = Mapping[str, Value]


def charge_row(each: Charge | Uncharged, books: Books) -> Row:
    """What a row says by column; a column that is absent is null.

    `status` is `charged`, or `unpriced` or `uncounted` for usage in no charge, whose amounts are
    null.

    Raises:
        NoStatementNumber: The month is closed, and the tenant has no statement in it.
    """
    consumed = each.consumed
    sku = each.sku if isinstance(each, Uncharged) else consumed and consumed.sku
    return {
        "period": str(books.period),
        "month_status": books.edition.status,
        "statement_number": books.statement_number(each.tenant),
        "rate_card": books.edition.rate_card,
        "tenant": each.tenant,
        "billing_code": _name(each.billing_code),
        "overflow": each.billing_code == OVERFLOW,
        "user": _name(each.user),
        "start_day": each.start,
        **(msgspec.structs.asdict(sku) if sku else {}),
        "meter": consumed and consumed.meter,
        "quantity": consumed and consumed.quantity,
        "unit": consumed and consumed.unit,
        "requests": consumed and consumed.requests,
        "currency": books.currency,
        **(_charged(each) if isinstance(each, Charge) else _uncharged(each)),
    }


def _name(name: str | None) -> str | None:
    return OVERFLOW_CELL if name == OVERFLOW else name


def _charged(charge: Charge) -> Row:
    price = charge.price
    return {
        "end_day": charge.end,
        "category": charge.category,
        "status": "charged",
        "per": price and price.per,
        "list_unit_price": price and price.listed,
        "unit_price": price and price.charged,
        "amount": charge.amount,
        "effective_amount": charge.effective,
        "correction": charge.correction is not None,
        "description": charge.description,
        **(_shared(charge.allocation) if charge.allocation else {}),
        **(_corrected(charge.correction) if charge.correction else {}),
    }


def _shared(allocation: Allocation) -> Row:
    return {
        "shared_cost": allocation.cost,
        "shared_method": allocation.method,
        "share": Decimal(allocation.share),
        "shared_whole": allocation.whole,
        "commitment": allocation.commitment,
    }


def _corrected(correction: Correction) -> Row:
    return {
        "corrected_month": correction.month,
        "corrected_statement": correction.statement,
        "corrected_line": correction.line,
        "correction_reason": correction.reason,
    }


def _uncharged(used: Uncharged) -> Row:
    return {
        "end_day": used.start + timedelta(days=1),
        "category": "Usage",
        "status": "unpriced" if used.consumed else "uncounted",
        "requests": used.requests,
        "correction": False,
    }
