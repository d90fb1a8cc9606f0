"""Documents as one HTML page that needs nothing beside itself, and runs nothing."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from accountant.statements.charts import chart_svg
from accountant.statements.document import Document
from accountant.statements.figures import money, text_of

_HERE: Final = Path(__file__).parent
_FIGURES: Final = frozenset({"number", "count", "amount", "price", "percent"})


def document_html(document: Document) -> str:
    """A page of one document."""
    return page_html(f"{document.title}: {document.whose}", [body_html(document)])


def page_html(title: str, bodies: Iterable[str]) -> str:
    """A page of the bodies of documents, a printed page or more each."""
    style = (_HERE / "page.css").read_text(encoding="utf-8")
    digest = b64encode(sha256(style.encode()).digest()).decode()
    template = _environment().get_template("page.html.j2")
    return template.render(
        title=title,
        bodies=bodies,
        style=style,
        style_hash=f"sha256-{digest}",
    )


def body_html(document: Document) -> str:
    """What a page says of one document."""
    return _environment().get_template("document.html.j2").render(document=document)


@cache
def _environment() -> Environment:
    """Templates that escape every name."""
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )
    known: dict[str, Any] = environment.globals
    known.update(chart_svg=chart_svg, figures=_FIGURES, money=money, text_of=text_of)
    return environment
