"""Builds what the tests of statements speak of: a month in which everything occurs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any, Final

import msgspec
from accounting import DAY, OCTOBER, sku
from exporting import owed, usage

from accountant.charges import Allocation, Charge, Consumption, Correction, Uncharged
from accountant.edition import DRAFT, Edition, Waiver
from accountant.reports.report import MonthFacts
from accountant.statements.document import Document
from accountant.statements.drawing_up import drawn_up
from accountant.statements.statement_document import statement_document
from accountant.statements.summary import Summary, SummaryOf
from accountant.statements.tenant_statement import TenantStatement

# Names that do harm where they are taken for more than names.
HOSTILE: Final = (
    "<script>alert(1)</script>",
    '=HYPERLINK("http://127.0.0.1:9/x","pay")',
    "a\u202eb\u200f",
    "[x](http://127.0.0.1:9/y) | `z` **b** www.example.com",
    "&lt;b&gt; \"'",
)
CLOSED: Final = Edition(
    status="closed",
    rate_card="3f2a9c11d0",
    closed_on=date(2026, 11, 5),
    digest="ab" * 32,
    numbers={"contoso": "2026-10-0001", "fabrikam": "2026-10-0002"},
    waivers=(Waiver(what="unpriced gpt-9", reason="a preview without a price", by="Ada"),),
)
_SHARED: Final = Allocation(cost="ptu-weu-1", method="used", share="1/3", whole=Decimal("100.00"))
_CORRECTED: Final = Correction(month="2026-09", statement="2026-09-0001", line=4, reason="usage")


def facts(
    requests: dict[tuple[str, str], int] | None = None,
    edition: Edition = DRAFT,
    currency: str = "USD",
) -> MonthFacts:
    """Of October, with these requests."""
    counted = Counter(requests or {})
    return MonthFacts(period=OCTOBER, currency=currency, requests=counted, edition=edition)


def everything(tenant: str = "contoso", **names: Any) -> list[Charge | Uncharged]:
    """Two lines of usage, a shared cost, a credit, a correction, and what is not charged.

    Args:
        tenant: Whose all of it is.
        names: `billing_code` or `text`, put wherever there is one.
    """
    code, text = names.get("billing_code", "CC-1001"), names.get("text", "a cost")
    who: dict[str, Any] = {"tenant": tenant, "billing_code": code}
    model = sku(model=text)
    unpriced = Consumption(sku=model, meter="input", quantity=77, requests=1)
    shared = msgspec.structs.replace(_SHARED, cost=text)
    return [
        usage(1_000_000, **who),
        usage(
            40_000_000,
            tenant=tenant,
            billing_code=None,
            consumed=Consumption(
                sku=sku(provenance="estimated"), meter="input", quantity=40_000_000, requests=2
            ),
        ),
        Uncharged(**who, start=DAY, sku=model, requests=1, consumed=unpriced),
        Uncharged(**who, start=DAY, sku=sku(provenance="pending"), requests=3, consumed=None),
        owed("33.34", **who, description=text, allocation=shared, category="Usage"),
        owed("-2.00", **who, description=text, category="Credit"),
        owed("0.004", **who, description=text, category="Adjustment", correction=_CORRECTED),
    ]


REQUESTS: Final = {
    ("contoso", "measured"): 2,
    ("contoso", "estimated"): 2,
    ("contoso", "pending"): 3,
}


def statement(
    charges: Iterable[Charge | Uncharged] | None = None, of: MonthFacts | None = None
) -> TenantStatement:
    """The only statement of some charges; without any, of everything."""
    chosen = everything() if charges is None else charges
    (made,) = drawn_up(of or facts(REQUESTS, CLOSED), chosen)
    return made


def document(
    charges: Iterable[Charge | Uncharged] | None = None, of: MonthFacts | None = None
) -> Document:
    """The same in words."""
    return statement_document(statement(charges, of))


def hostile_document() -> Document:
    """A statement in which every name is hostile."""
    charges = [
        each for name in HOSTILE for each in everything(HOSTILE[0], billing_code=name, text=name)
    ]
    return document(charges, facts(edition=CLOSED))


def summary(*tenants: str, of: MonthFacts | None = None) -> Summary:
    """The summary of these tenants, each with everything."""
    chosen = of or facts(edition=CLOSED)
    added = SummaryOf(chosen)
    charges = [each for tenant in sorted(tenants) for each in everything(tenant)]
    for _ in added.passed(drawn_up(chosen, charges)):
        pass
    return added.summary()
