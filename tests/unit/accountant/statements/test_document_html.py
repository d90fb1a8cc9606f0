from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser

from stating import document, hostile_document

from accountant.statements.document_html import body_html, document_html, page_html


class Tags(HTMLParser):
    """Collects what a page is made of."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_a_page_needs_nothing_beside_itself() -> None:
    page = document_html(hostile_document())
    for tag, attributes in Tags(page).found:
        assert tag not in {"script", "img", "iframe", "object", "form", "a", "base"}
        assert {"src", "style", "onload", "onerror", "onclick"}.isdisjoint(attributes)
        assert attributes.get("href", "data:,") == "data:,"


def test_nothing_may_run_or_be_fetched() -> None:
    page = document_html(document())
    policy = next(
        found["content"] or ""
        for tag, found in Tags(page).found
        if tag == "meta" and found.get("http-equiv") == "Content-Security-Policy"
    )
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    assert style
    digest = b64encode(sha256(style[1].encode()).digest()).decode()
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{digest}';")


def test_a_table_can_be_heard() -> None:
    tags = Tags(document_html(document())).found
    tables = sum(tag == "table" for tag, _ in tags)
    assert tables == sum(tag == "caption" for tag, _ in tags) == 8
    assert all(found.get("scope") == "col" for tag, found in tags if tag == "th")


def test_a_page_may_hold_several_documents() -> None:
    body = body_html(document())
    page = page_html("<October>", [body, body])
    assert page.count("<main") == 2
    assert page.count("<!doctype html>") == page.count("<title>&lt;October&gt;</title>") == 1


def test_names_stand_in_their_own_direction() -> None:
    assert "<td><bdi>CC-1001</bdi></td>" in document_html(document())
