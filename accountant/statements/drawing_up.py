"""Draws up a month's statements from its charges, a tenant at a time: memory follows one tenant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from itertools import groupby, islice

import msgspec

from accountant.charges import Charge, Uncharged
from accountant.lines import PROVENANCES
from accountant.money import EXACT, ZERO
from accountant.reports.report import MonthFacts, charge_report
from accountant.statements.tenant_statement import BY, Converted, DayKey, TenantStatement

# Whose, of which month, and what is charged and what is not.
Own = tuple[str, MonthFacts, list[Charge | Uncharged]]


def drawn_up(facts: MonthFacts, charges: Iterable[Charge | Uncharged]) -> Iterator[TenantStatement]:
    """One statement a tenant that had a request or owes anything, by name.

    Args:
        facts: Of the month; a tenant's requests are whole once its charges are read.
        charges: By tenant, in the order of names, as `month_charges` yields them.
    """
    for tenant, own_facts, own in by_tenant(facts, charges):
        yield TenantStatement(
            tenant=tenant,
            report=charge_report(own_facts, BY, own),
            by_day=_by_day(own),
            last_day=_last_day(own),
            converted=_converted(own),
        )


def by_tenant(facts: MonthFacts, charges: Iterable[Charge | Uncharged]) -> Iterator[Own]:
    """What is of each tenant alone, one after the other.

    Args:
        facts: As for `drawn_up`.
        charges: Same.
    """
    requested = _Requested(facts.requests)
    for tenant, of_tenant in groupby(charges, lambda each: each.tenant):
        own = list(of_tenant)  # a tenant's last charge is known when the next one's first comes
        for other in requested.taken_before(tenant):
            yield other, _own_facts(facts, other), []
        yield tenant, _own_facts(facts, tenant), own
    for other in requested.taken_before(None):
        yield other, _own_facts(facts, other), []


class _Requested:
    """Who had requests, while they are counted; whoever is in no charge still has a statement."""

    def __init__(self, requests: Mapping[tuple[str, str], int]) -> None:
        self._requests = requests
        self._read = 0
        self._waiting: set[str] = set()

    def taken_before(self, tenant: str | None) -> list[str]:
        """Who comes before the tenant, each once; None is the rest. The tenant is taken, too."""
        new = list(islice(self._requests, self._read, None))
        self._read += len(new)
        self._waiting.update(name for name, _ in new)
        found = sorted(name for name in self._waiting if tenant is None or name < tenant)
        self._waiting.difference_update(found, [tenant] if tenant is not None else ())
        return found


def _own_facts(facts: MonthFacts, tenant: str) -> MonthFacts:
    """Without the requests, the numbers and the waivers of others."""
    keys = [(tenant, provenance) for provenance in PROVENANCES]
    requests = {key: facts.requests[key] for key in keys if key in facts.requests}
    return msgspec.structs.replace(facts, requests=requests, edition=facts.edition.of(tenant))


def _by_day(charges: Iterable[Charge | Uncharged]) -> dict[DayKey, Decimal]:
    sums: dict[DayKey, Decimal] = {}
    for each in charges:
        if isinstance(each, Charge) and each.metered:
            key = (each.start, each.billing_code, each.metered[0].sku.model)
            sums[key] = EXACT.add(sums.get(key, ZERO), each.amount)
    return sums


def _last_day(charges: Iterable[Charge | Uncharged]) -> date | None:
    days = [
        each.end - timedelta(days=1) if isinstance(each, Charge) else each.start
        for each in charges
        if isinstance(each, Uncharged) or each.metered
    ]
    return max(days, default=None)


def _converted(charges: Iterable[Charge | Uncharged]) -> tuple[Converted, ...]:
    """Each rate once, with the first and the last day of the usage that it converted."""
    found: dict[tuple[str, Decimal, str], Converted] = {}
    for each in charges:
        metered = each.metered if isinstance(each, Charge) else None
        if metered and (exchange := metered[1].exchange):
            key = (exchange.currency, exchange.rate, exchange.source)
            first, last = each.start, each.start
            if key in found:
                first, last = min(first, found[key].first), max(last, found[key].last)
            found[key] = Converted(
                first=first,
                last=last,
                currency=exchange.currency,
                rate=exchange.rate,
                source=exchange.source,
            )
    return tuple(sorted(found.values()))
