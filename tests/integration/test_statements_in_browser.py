from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest
from browsers import opened
from stating import HOSTILE, document, everything, facts, hostile_document, summary

from accountant.labels import shown
from accountant.statements.document_html import document_html
from accountant.statements.summary_document import summary_document

pytestmark = pytest.mark.integration


def words(text: str) -> str:
    """Without the places where lines were broken."""
    return re.sub(r"\s+", "", text)


def test_a_statement_opens_with_its_title_and_every_figure(tmp_path: Path) -> None:
    page = tmp_path / "statement.html"
    page.write_text(document_html(document()))
    found = opened(page)
    assert "<title>Statement for October 2026: contoso</title>" in found.dom
    assert found.dom.count("<svg") == 3
    assert found.console == []
    for figure in ("37.49", "40,000,000", "33.3333%", "-2.00", "0.004", "2026-09-0001"):
        assert figure in words(found.text)
    assert words("Internal charge, not a tax invoice.") in words(found.text)


def test_the_summary_opens_with_every_statement(tmp_path: Path) -> None:
    page = tmp_path / "summary.html"
    page.write_text(document_html(summary_document(summary("contoso", "fabrikam"))))
    found = opened(page)
    assert found.console == []
    assert all(text in found.text for text in ("contoso", "fabrikam", "74.98"))


def test_hostile_names_are_only_shown(tmp_path: Path) -> None:
    page = tmp_path / "hostile.html"
    with socket.create_server(("127.0.0.1", 0)) as asked:
        port = asked.getsockname()[1]
        image = f'<img src="http://127.0.0.1:{port}/x.png" onerror="document.title=1">'
        document_with_image = document(everything(billing_code=image, text=image), facts())
        page.write_text(document_html(document_with_image))
        found = opened(page)
        asked.settimeout(0)
        with pytest.raises(BlockingIOError):  # nobody came
            asked.accept()
    assert "<title>Statement for October 2026: contoso</title>" in found.dom
    assert words(image) in words(found.text)


def test_each_hostile_name_reads_as_itself(tmp_path: Path) -> None:
    page = tmp_path / "hostile.html"
    page.write_text(document_html(hostile_document()))
    found = opened(page)
    assert found.console == []
    assert "<script" not in found.dom
    for name in HOSTILE:
        if name.isascii():
            assert words(name) in words(found.text)
        else:
            assert shown(name) in found.dom
            assert name not in found.dom


def test_what_the_page_itself_forbids_is_blocked_even_if_a_name_were_markup(tmp_path: Path) -> None:
    page = tmp_path / "broken.html"
    script = "<script>document.title='ran'</script><img src='http://127.0.0.1:9/x.png'>"
    page.write_text(document_html(document()).replace("</main>", f"{script}</main>"))
    found = opened(page)
    assert "<title>ran</title>" not in found.dom
    assert any("Content Security Policy" in line for line in found.console)
