from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from accounting import golden_reader

from accountant.commands.statement_delivery import month_facts
from accountant.reports.report_csv import as_csv
from accountant.reports.report_json import as_json
from accountant.statements.document_html import document_html
from accountant.statements.document_markdown import document_markdown
from accountant.statements.drawing_up import drawn_up
from accountant.statements.statement_document import statement_document
from accountant.statements.summary import Summary, SummaryOf
from accountant.statements.summary_document import summary_document
from accountant.statements.tenant_statement import TenantStatement

WRITTEN: dict[str, Callable[[TenantStatement], str]] = {
    "md": lambda made: document_markdown(statement_document(made)),
    "html": lambda made: document_html(statement_document(made)),
    "csv": lambda made: as_csv(made.report),
    "json": lambda made: as_json(made.report),
}


def month_statements(folder: Path) -> tuple[dict[str, TenantStatement], Summary]:
    """Those of the folder's events, as they were delivered; and the month's summary."""
    reader = golden_reader(folder)
    facts = month_facts(reader)
    added = SummaryOf(facts)
    made = {each.tenant: each for each in added.passed(drawn_up(facts, reader.read()))}
    return made, added.summary()


FOLDERS = sorted(path.parent for path in Path(__file__).parent.glob("*/statements"))
FILES = sorted(path for folder in FOLDERS for path in (folder / "statements").iterdir())


def named(path: Path) -> str:
    return f"{path.parents[1].name}-{path.name}"


@pytest.mark.parametrize("path", [path for path in FILES if path.stem != "summary"], ids=named)
def test_a_statement_is_byte_for_byte_what_was_worked_out(path: Path) -> None:
    statements, _ = month_statements(path.parents[1])
    made = WRITTEN[path.suffix[1:]](statements[path.stem])
    assert made.encode() == path.read_bytes()


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_summary_is_byte_for_byte_what_was_worked_out(folder: Path) -> None:
    _, summary = month_statements(folder)
    expected = (folder / "statements" / "summary.md").read_bytes()
    assert document_markdown(summary_document(summary)).encode() == expected


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_statements_say_what_the_months_report_says(folder: Path) -> None:
    """Rows of the tenants' files are those of the month's, and in the same order."""
    statements, _ = month_statements(folder)
    whole = (folder / "report.csv").read_text().splitlines()
    rows = [line for made in statements.values() for line in as_csv(made.report).splitlines()[1:]]
    assert sorted(rows) == sorted(whole[1:])
