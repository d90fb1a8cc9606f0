from __future__ import annotations

import re
from decimal import Decimal
from io import BytesIO

import pytest
from exporting import owed, usage
from pypdf import PdfReader
from stating import HOSTILE, document, everything, facts, hostile_document

from accountant.labels import shown
from accountant.statements.document import Document
from accountant.statements.document_pdf import document_pdf
from accountant.statements.drawing_up import drawn_up
from accountant.statements.summary import SummaryOf
from accountant.statements.summary_document import summary_document


def pages(found: Document) -> list[str]:
    return [page.extract_text() for page in PdfReader(BytesIO(document_pdf(found))).pages]


def words(found: Document) -> str:
    """All of it, without the places where lines were broken."""
    return re.sub(r"\s+", "", "".join(pages(found)))


def test_a_statement_can_be_read() -> None:
    first, *_ = pages(document())
    for text in ("CLOSED", "Statement for October 2026", "contoso", "37.49 USD", "2026-10-0001"):
        assert text in first
    everywhere = words(document())
    for text in ("40,000,000", "33.3333%", "-2.00", "0.004", "37.49", "2026-09-0001"):
        assert text in everywhere


def test_pages_are_numbered_and_headings_stand_on_each() -> None:
    found = pages(document([usage(billing_code=f"CC-{at}") for at in range(90)], facts()))
    assert len(found) >= 4
    for number, text in enumerate(found, 1):
        assert f"Page {number} of {len(found)}" in text
    for text in found[1:-1]:
        assert "Billing code" in text


def test_no_row_is_lost_between_pages() -> None:
    text = words(document([usage(1, billing_code=f"CC-{at:03}") for at in range(200)], facts()))
    assert {f"CC-{at:03}" for at in range(200)} == set(re.findall(r"CC-\d{3}", text))


@pytest.mark.parametrize("name", [name for name in HOSTILE if name.isascii()])
def test_names_are_only_shown(name: str) -> None:
    assert re.sub(r"\s+", "", shown(name)) in words(hostile_document())


@pytest.mark.parametrize("name", ["Ünïted Żółw", "Ελλάδα", "Россия", "Հայաստան"])
def test_names_in_other_alphabets_can_be_read(name: str) -> None:
    assert re.sub(r"\s+", "", name) in words(document(everything(billing_code=name), facts()))


def test_what_no_font_shows_stands_as_its_code_point() -> None:
    assert "[U+1F980]" in words(document(everything(billing_code="crab \U0001f980"), facts()))


def test_it_says_so_when_names_are_written_from_right_to_left() -> None:
    hebrew = document(everything(billing_code="ישראל"), facts())
    assert "ישראל" in words(hebrew) or "לארשי" in words(hebrew)
    assert "fromrighttoleft" in words(hebrew)
    assert "fromrighttoleft" not in words(document())


def test_figures_of_any_length_are_whole() -> None:
    amount = "123456789012345678901234567890.123456789012345678901234567890"
    text = words(document([owed(amount, category="Purchase")], facts()))
    assert "123,456,789,012,345,678,901,234,567,890.12345678901234567890123456789" in text


def test_a_name_longer_than_a_line_is_broken_and_whole() -> None:
    name = "n" * 256
    assert name in words(document(everything(billing_code=name, text=name), facts()))


def test_figures_wider_than_a_page_are_broken_and_whole() -> None:
    digits = "1234567890" * 5
    charges = [
        each
        for tenant in ("a", "b")
        for each in (
            usage(tenant=tenant, amount=Decimal(f"{digits}.{digits}")),
            owed(f"{digits}.{digits}", tenant=tenant, category="Credit"),
        )
    ]
    added = SummaryOf(facts())
    assert len(list(added.passed(drawn_up(facts(), charges)))) == 2
    text = words(summary_document(added.summary()))
    assert text.count(f"{int(digits):,}.{digits.rstrip('0')}") >= 2
