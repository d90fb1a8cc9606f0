"""A tenant's statement: the CPU time that one takes, as HTML and as a workbook.

What is measured is all from a tenant's charges to the bytes of the file. The baseline is the same
charges grouped into the tenant's report, which every format needs.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from decimal import Decimal
from functools import partial
from itertools import product
from statistics import median
from typing import Final

import msgspec
from accounting import OCTOBER, sku
from bench.measuring import Result
from exporting import usage

from accountant.charges import Charge, Consumption, Price
from accountant.money import amount_of
from accountant.reports.report import MonthFacts, charge_report
from accountant.statements.drawing_up import by_tenant, drawn_up
from accountant.statements.statement_document import statement_document
from accountant.statements.statement_files import DocumentFormat, document_bytes
from accountant.statements.tenant_statement import BY

MAX_CPU_MS: Final = 100
FORMATS: Final[tuple[DocumentFormat, ...]] = ("html", "xlsx")
_TENANTS: Final = 100
_ROUNDS: Final = 3
_CODES: Final = ("CC-1001", "CC-1002", None)
_PRICES: Final = {"gpt-4o-mini": "0.15", "gpt-4o": "2.50", "gpt-5": "1.25"}
_METERS: Final = ("input", "cached_input", "output")
_USED: Final = 0.4  # of the days, codes, models and meters


def statement_contests() -> list[Result]:
    """CPU milliseconds a statement, for both formats, beside those of the report alone."""
    charges = list(_charges())
    grouped = _cpu_ms(lambda: _group(charges))
    results: list[Result] = []
    for layout in FORMATS:
        cpu_ms = _cpu_ms(partial(_write, charges, layout))
        name = f"accountant.statement_{layout}"
        results.append(Result(name, cpu_ms, "ms", "report", grouped, cpu_ms / grouped))
    return results


def _cpu_ms(work: Callable[[], None]) -> float:
    """Of one statement, in the median round."""
    rounds: list[float] = []
    for _ in range(_ROUNDS):
        started_s = time.process_time()
        work()
        rounds.append(time.process_time() - started_s)
    return median(rounds) * 1000 / _TENANTS


def _group(charges: Iterable[Charge]) -> None:
    for _, own_facts, own in by_tenant(_facts(), charges):
        charge_report(own_facts, BY, own)


def _write(charges: Iterable[Charge], layout: DocumentFormat) -> None:
    for each in drawn_up(_facts(), charges):
        document_bytes(statement_document(each), layout)


def _facts() -> MonthFacts:
    requests = {(f"tenant-{number:04}", "measured"): 10_000 for number in range(_TENANTS)}
    return MonthFacts(period=OCTOBER, currency="USD", requests=requests)


def _charges() -> Iterator[Charge]:
    """A month of three billing codes and three models, by day, of every tenant."""
    chance = random.Random(20261031)  # noqa: S311  the same charges at each run
    for number in range(_TENANTS):
        for day, code, model, meter in product(range(1, 31), _CODES, _PRICES, _METERS):
            if chance.random() < _USED:
                made = _charge(model, meter, chance.randrange(1, 40_000_000))
                yield msgspec.structs.replace(
                    made,
                    tenant=f"tenant-{number:04}",
                    billing_code=code,
                    start=date(2026, 10, day),
                    end=date(2026, 10, day + 1),
                )


def _charge(model: str, meter: str, quantity: int) -> Charge:
    price = Decimal(_PRICES[model])
    amount = amount_of(quantity, price, 1_000_000)
    consumed = Consumption(sku=sku(model=model), meter=meter, quantity=quantity, requests=9)
    priced = Price(listed=price, charged=price, per=1_000_000)
    return usage(consumed=consumed, price=priced, amount=amount, effective=amount)
