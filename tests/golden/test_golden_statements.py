from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from accountant.edition import Edition
from accountant.rate_cards.rate_files import load_rate_card
from accountant.reports.report import MonthFacts
from accountant.reports.report_csv import as_csv
from accountant.reports.report_json import as_json
from accountant.statements.document_html import document_html
from accountant.statements.document_markdown import document_markdown
from accountant.statements.drawing_up import drawn_up
from accountant.statements.statement_document import statement_document
from accountant.statements.summary import Summary, SummaryOf
from accountant.statements.summary_document import summary_document
from accountant.statements.tenant_statement import TenantStatement
from accountant.usage_charges import counted, month_charges
from tollgate.ledger.memory_ledger import MemoryLedger
from tollgate.usage.event import decode_event
from tollgate.usage.periods import Month

FOLDER = Path(__file__).parent / "2026-10"
WRITTEN: dict[str, Callable[[TenantStatement], str]] = {
    "md": lambda made: document_markdown(statement_document(made)),
    "html": lambda made: document_html(statement_document(made)),
    "csv": lambda made: as_csv(made.report),
    "json": lambda made: as_json(made.report),
}


def month_statements() -> tuple[dict[str, TenantStatement], Summary]:
    """Those of the folder's events, as they were delivered; and the month's summary."""
    month, ledger, requests = Month.parse(FOLDER.name), MemoryLedger(), Counter[tuple[str, str]]()
    lines = (FOLDER / "events.jsonl").read_bytes().splitlines()
    asyncio.run(ledger.apply([decode_event(line) for line in lines], now=month.end))
    card = load_rate_card(FOLDER / "rates.toml")
    edition = Edition(rate_card=card.version)
    facts = MonthFacts(period=month, currency=card.currency, requests=requests, edition=edition)
    charges = month_charges(month, counted(ledger.money_cells(month), requests), card)
    added = SummaryOf(facts)
    return {each.tenant: each for each in added.passed(drawn_up(facts, charges))}, added.summary()


FILES = sorted({path.name for path in (FOLDER / "statements").iterdir()} - {"summary.md"})


@pytest.mark.parametrize("name", FILES)
def test_a_statement_is_byte_for_byte_what_was_worked_out(name: str) -> None:
    statements, _ = month_statements()
    tenant, _, suffix = name.partition(".")
    expected = (FOLDER / "statements" / name).read_bytes()
    assert WRITTEN[suffix](statements[tenant]).encode() == expected


def test_the_summary_is_byte_for_byte_what_was_worked_out() -> None:
    _, summary = month_statements()
    expected = (FOLDER / "statements" / "summary.md").read_bytes()
    assert document_markdown(summary_document(summary)).encode() == expected


def test_statements_say_what_the_months_report_says() -> None:
    """Rows of the tenants' files are those of the month's, and in the same order."""
    statements, _ = month_statements()
    whole = (FOLDER / "report.csv").read_text().splitlines()
    rows = [line for made in statements.values() for line in as_csv(made.report).splitlines()[1:]]
    assert sorted(rows) == sorted(whole[1:])
