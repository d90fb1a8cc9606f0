"""Text in CSV cells, so that no spreadsheet runs a name; and back again."""

from __future__ import annotations

from typing import Final

_FORMULA: Final = tuple("=+-@\t\r\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH PLUS SIGN}") + tuple(
    "\N{FULLWIDTH HYPHEN-MINUS}\N{FULLWIDTH COMMERCIAL AT}"
)


def looks_like_formula(text: str) -> bool:
    """Whether a spreadsheet could run it, also behind apostrophes or spaces."""
    bare = text.lstrip("'")
    return bare.startswith(_FORMULA) or bare.lstrip().startswith(_FORMULA)


def cell(text: str) -> str:
    """The text behind an apostrophe if it looks like a formula, or like one so escaped."""
    return f"'{text}" if looks_like_formula(text) else text


def text_of(cell: str) -> str:
    """What `cell` made a cell of; other cells are as they are."""
    escaped = cell.startswith("'") and looks_like_formula(cell)
    return cell[1:] if escaped else cell
