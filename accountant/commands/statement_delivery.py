"""Delivers statements: a file a tenant and one of the month, or all of it to stdout."""

# Only --help must be quick, so what a format needs is imported when it is written.
# ruff: noqa: PLC0415

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from accountant.commands.charge_reader import ChargeReader
from accountant.commands.delivery import told_write_problems
from accountant.commands.problems import say
from accountant.commands.progress import show_nothing

if TYPE_CHECKING:
    from accountant.charges import Charge, Uncharged
    from accountant.reports.report import MonthFacts, Report
    from accountant.statements.document import Document
    from accountant.statements.statement_files import DocumentFormat
    from accountant.statements.tenant_statement import TenantStatement

_MOST_PROCESSES: Final = 8  # the ledger gives no more work than keeps these busy


def write_documents(
    reader: ChargeReader, layout: DocumentFormat, out: Path, tenant: str | None
) -> int:
    """Write every statement as a document, and the summary of the month last.

    Args:
        reader: The month.
        layout: How they are written.
        out: The directory.
        tenant: Whose statement alone is wanted; then there is no summary.

    Returns:
        How many statements there are; of none, nothing is written.

    Raises:
        SettingsError: Something cannot be written.
    """
    from accountant.reports.report_file import file_name
    from accountant.statements.statement_files import write_document, write_statements
    from accountant.statements.summary import SummaryOf
    from accountant.statements.summary_document import summary_document

    facts, period = month_facts(reader), str(reader.month)
    added = SummaryOf(facts)
    with told_write_problems(out):
        show, reader.show = reader.show, show_nothing  # what is written says more than what is read

        def told(done: int) -> None:
            show("statements written", done, None)

        processes = min(os.cpu_count() or 1, _MOST_PROCESSES)
        statements = added.passed(_drawn_up(reader, facts))
        count = write_statements(statements, layout, out, told, processes)
        if tenant is None and count:
            document = summary_document(added.summary())
            path = write_document(out, period, None, (document, layout))
            say(f"wrote {path} and {_statements(count)} beside it")
    if tenant is not None and count:
        say(f"wrote {out / file_name(period, tenant, layout)}")
    return count


def printed_documents(
    reader: ChargeReader, layout: DocumentFormat, tenant: str | None
) -> tuple[bytes, int]:
    """The whole month as one page: the summary, then every statement; and how many there are."""
    from accountant.statements.statement_document import statement_document
    from accountant.statements.summary import SummaryOf
    from accountant.statements.summary_document import summary_document

    facts = month_facts(reader)
    added = SummaryOf(facts)
    body, page = _writers(layout)
    bodies = [body(statement_document(each)) for each in added.passed(_drawn_up(reader, facts))]
    summary = summary_document(added.summary())
    parts = bodies if tenant is not None else [body(summary), *bodies]
    return page(summary.title, parts).encode(), len(bodies)


def write_reports(
    reader: ChargeReader, by: Sequence[str], out: Path, written: tuple[Callable[[Report], str], str]
) -> Report:
    """Write every tenant's report, then the month's, and give that back.

    Args:
        reader: The month.
        by: What lines are grouped by.
        out: The directory.
        written: How a report is written, and the suffix of its file.

    Raises:
        SettingsError: Something cannot be written.
    """
    from accountant.reports.report import charge_report
    from accountant.reports.report_file import file_name, write_report

    text_of, suffix = written
    facts, period = month_facts(reader), str(reader.month)

    def deliver(tenant: str | None, report: Report) -> Path:
        return write_report(out, file_name(period, tenant, suffix), text_of(report).encode())

    with told_write_problems(out):
        found = charge_report(facts, by, _passing(reader, by, facts, deliver))
        path = deliver(None, found)
    say(f"wrote {path} and {_statements(len(found.statements))} beside it")
    return found


def month_facts(reader: ChargeReader) -> MonthFacts:
    """What the month's documents say beside its charges."""
    from accountant.reports.report import MonthFacts

    return MonthFacts(
        period=reader.month,
        currency=reader.currency,
        requests=reader.requests,
        edition=reader.edition,
    )


def _drawn_up(reader: ChargeReader, facts: MonthFacts) -> Iterator[TenantStatement]:
    from accountant.statements.drawing_up import drawn_up

    return drawn_up(facts, reader.read())


def _passing(
    reader: ChargeReader,
    by: Sequence[str],
    facts: MonthFacts,
    deliver: Callable[[str, Report], object],
) -> Iterator[Charge | Uncharged]:
    """The month's charges, while each tenant's are delivered."""
    from accountant.reports.report import charge_report
    from accountant.statements.drawing_up import by_tenant

    for tenant, own_facts, own in by_tenant(facts, reader.read_for_report(by)):
        deliver(tenant, charge_report(own_facts, by, own))
        yield from own


def _writers(
    layout: DocumentFormat,
) -> tuple[Callable[[Document], str], Callable[[str, Sequence[str]], str]]:
    """What makes a part of a document, and a page of parts."""
    if layout == "html":
        from accountant.statements.document_html import body_html, page_html

        return body_html, page_html
    from accountant.statements.document_markdown import document_markdown

    return document_markdown, lambda _, parts: "\n".join(parts)


def _statements(count: int) -> str:
    return "1 statement" if count == 1 else f"{count:,} statements"
