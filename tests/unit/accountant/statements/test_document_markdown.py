from __future__ import annotations

import re

import pytest
from stating import HOSTILE, document, hostile_document

from accountant.statements.document_markdown import document_markdown, escaped


def test_a_statement_reads_as_it_stands() -> None:
    lines = document_markdown(document()).splitlines()
    assert lines[0] == "# Statement for October 2026: contoso"
    assert lines[2] == "**Closed. Owed for the month: 37.49 USD**"
    assert "| Statement no. | 2026-10-0001 |" in lines
    assert (
        "| 1 | CC-1001 | gpt-4o-mini | input tokens | measured | 1,000,000 | 0.15 | 1,000,000"
        " | 0.15 |" in lines
    )
    assert "|  | **Sum** |  |  |  |  |  | **33.34** |" in lines


def test_every_row_has_as_many_cells_as_its_heading() -> None:
    rows = [line for line in document_markdown(hostile_document()).splitlines() if line[:1] == "|"]
    tables = re.split(r"\n\n", document_markdown(hostile_document()))
    assert len(rows) > 20
    for table in tables:
        counts = {
            len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines() if row[:1] == "|"
        }
        assert len(counts) <= 1


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_is_markup(name: str) -> None:
    made = escaped(name)
    assert re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", made) == name
    assert not re.search(r"(?<!\\)([<>`*_|\[\]&]|://)|www\.", made)


def test_details_are_left_to_the_workbook() -> None:
    assert "Usage by day" not in document_markdown(document())
