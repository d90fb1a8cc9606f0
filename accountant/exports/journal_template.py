"""A journal as CSV, by a template: a header row, and a row that says what stands under it.

`{account}` and the like are filled in; other text stands as it is in every row.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Final

import msgspec

from accountant.csv_text import name_cell, plain_name, text_cell
from accountant.exports.books import Books
from accountant.exports.journal import Posting
from accountant.money import EXACT
from tollgate.errors import SettingsError

FIELDS: Final = (
    "line",
    "batch",
    "reference",
    "document_date",
    "date",
    "period",
    "account",
    "cost_centre",
    "debit",
    "credit",
    "amount",
    "currency",
    "text",
    "tenant",
    "billing_code",
    "status",
    "rate_card",
    "corrected_month",
    "corrected_statement",
    "corrected_line",
)
_NUMBERS: Final = {"{line}", "{debit}", "{credit}", "{amount}", "{corrected_line}"}
_UNTOLD: Final = frozenset(
    {"amount", "status", "rate_card", "corrected_month", "corrected_statement", "corrected_line"}
)
_FIELD: Final = re.compile(r"\{(\w+)\}")
_DELIMITERS: Final = ",;\t|"


class Template(msgspec.Struct, frozen=True):
    """The columns of a journal: their names, what stands in them, and what is between them."""

    header: Sequence[str]
    cells: Sequence[str]
    delimiter: str = ","


_COLUMNS: Final = tuple(name for name in FIELDS if name not in _UNTOLD)
DEFAULT: Final = Template(_COLUMNS, [f"{{{name}}}" for name in _COLUMNS])


def read_template(path: Path) -> Template:
    """The template in a CSV file; it may be separated by commas, semicolons, tabs or bars.

    Raises:
        SettingsError: It cannot be read, or is none; it has every problem.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8"
        raise SettingsError([f"{path}: cannot be read: {why}"]) from None
    delimiter = max(_DELIMITERS, key=text.partition("\n")[0].count)
    rows = [row for row in csv.reader(text.splitlines(), delimiter=delimiter) if row]
    if len(rows) != 2:  # noqa: PLR2004  a header and what is under it
        raise SettingsError(
            [f"{path}: has {len(rows)} rows; write two, a header and what stands under it"]
        )
    problems = _problems(rows[0], rows[1])
    if problems:
        raise SettingsError([f"{path}: {problem}" for problem in problems])
    return Template(rows[0], rows[1], delimiter)


def journal_csv(postings: Iterable[Posting], books: Books, template: Template = DEFAULT) -> str:
    """The header, and a row a posting.

    `{date}` is the month's last day, `{document_date}` the day of the close, and the same before.
    Text never starts a formula; `{debit}` and `{credit}` are empty where there is none.
    """
    text = StringIO()
    writer = csv.writer(text, delimiter=template.delimiter, lineterminator="\n")
    writer.writerow(map(text_cell, template.header))
    same = _same(books)
    for number, posting in enumerate(postings, 1):
        values = {**same, "line": str(number), **_values(posting)}
        writer.writerow([_filled(cell, values) for cell in template.cells])
    return text.getvalue()


def _same(books: Books) -> Mapping[str, str | None]:
    return {
        "period": str(books.period),
        "date": books.last_day.isoformat(),
        "document_date": books.document_date.isoformat(),
        "currency": books.currency,
        "status": books.edition.status,
        "rate_card": books.edition.rate_card,
    }


def _values(posting: Posting) -> Mapping[str, str | None]:
    amount, late = posting.amount, posting.correction
    return {
        "batch": posting.batch,
        "reference": posting.reference,
        "account": posting.account,
        "cost_centre": posting.cost_centre,
        "debit": f"{amount:f}" if amount > 0 else "",
        "credit": f"{EXACT.minus(amount):f}" if amount < 0 else "",
        "amount": f"{amount:f}",
        "text": posting.text,
        "tenant": posting.tenant,
        "billing_code": posting.billing_code,
        "corrected_month": late and late.month,
        "corrected_statement": late and late.statement,
        "corrected_line": str(late.line) if late and late.line is not None else "",
    }


def _filled(cell: str, values: Mapping[str, str | None]) -> str:
    if cell in _NUMBERS:
        return values[cell[1:-1]] or ""
    if alone := _FIELD.fullmatch(cell):
        return name_cell(values[alone[1]])
    return text_cell(_FIELD.sub(lambda found: plain_name(values[found[1]]), cell))


def _problems(header: Sequence[str], cells: Sequence[str]) -> list[str]:
    """Why these rows are no template."""
    problems: list[str] = []
    if len(header) != len(cells):
        problems.append(f"the header has {len(header)} cells, the row under it {len(cells)}")
    for column, cell in enumerate(cells, 1):
        unknown = [name for name in _FIELD.findall(cell) if name not in FIELDS]
        problems += [f"row 2, column {column}: {{{name}}} is not a field" for name in unknown]
    if problems:
        known = ", ".join(f"{{{name}}}" for name in FIELDS)
        return [*problems, f"the fields are {known}"]
    used = {name for cell in cells for name in _FIELD.findall(cell)}
    if not used >= {"debit", "credit"} and "amount" not in used:
        problems.append("needs {debit} and {credit}, or {amount}")
    return problems if "account" in used else [*problems, "needs {account}"]
