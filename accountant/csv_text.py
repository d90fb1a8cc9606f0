"""Names as CSV cells, escaped so that no spreadsheet runs them.

A missing name is an empty cell, since no name is empty. `(overflow)` is all names beyond the
ledger's limit. A name that would be read as that or as a formula stands behind an apostrophe, as
does a name that looks so escaped.
"""

from __future__ import annotations

from typing import Final

from accountant.csv_cells import looks_like_formula
from tollgate.ledger.cells import OVERFLOW

OVERFLOW_CELL: Final = "(overflow)"


def name_cell(name: str | None) -> str:
    """A name as text, which comes back whole if one apostrophe is taken off what is escaped."""
    if name is None:
        return ""
    return OVERFLOW_CELL if name == OVERFLOW else text_cell(name)


def plain_name(name: str | None) -> str:
    """A name to stand within other text, which is then escaped as a whole."""
    return OVERFLOW_CELL if name == OVERFLOW else name or ""


def text_cell(text: str) -> str:
    """Text that no spreadsheet reads as a formula, and no reader as the overflow."""
    risky = text.lstrip("'") == OVERFLOW_CELL or looks_like_formula(text)
    return f"'{text}" if risky else text
