"""What an export wrote, counted while it is written, as one JSON object for whoever runs it."""

# Only --help must be quick, so what telling needs is imported when something is told.
# ruff: noqa: PLC0415

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from accountant.commands.charge_reader import ChargeReader
from accountant.commands.delivery import delivered
from accountant.money import EXACT, ZERO, rounded

if TYPE_CHECKING:
    from accountant.charges import Charge, Uncharged
    from accountant.exports.books import Books


class ExportSummary:
    """What was written.

    Attributes:
        rows: How many, by file, without headers.
        total: What the charges add up to.
    """

    def __init__(self) -> None:
        self.rows = Counter[Path]()
        self.total = ZERO

    def counted(self, charges: Iterable[Charge | Uncharged]) -> Iterator[Charge | Uncharged]:
        """The same as they come, while their amounts are added."""
        from accountant.charges import Charge

        for each in charges:
            if isinstance(each, Charge):
                self.total = EXACT.add(self.total, each.amount)
            yield each

    def print_json(self, reader: ChargeReader, books: Books, files: Iterable[Path]) -> None:
        """Print one object: the books, the files and their rows, the total, what is not in it."""
        told = {
            **books_members(books),
            "files": [{"path": str(path), "rows": self.rows[path]} for path in files],
            "total": f"{rounded(self.total, books.currency):f}",
            "unpriced": reader.unpriced,
            "uncounted": reader.uncounted,
        }
        with delivered(None) as write:
            write(json.dumps(told, ensure_ascii=False, indent=2) + "\n")


def books_of(reader: ChargeReader, account: str = "", issuer: str = "") -> Books:
    """What all rows of a month's export share.

    Args:
        reader: Of the month.
        account: As in `Books`; empty has its default.
        issuer: Likewise.
    """
    from accountant.exports.books import Books

    told = {"account": account, "issuer": issuer}
    return Books(
        period=reader.month,
        currency=reader.currency,
        edition=reader.edition,
        **{name: value for name, value in told.items() if value},
    )


def books_members(books: Books) -> dict[str, object]:
    """Which books these are, as JSON tells it."""
    return {
        "period": str(books.period),
        "currency": books.currency,
        "status": books.edition.status,
        "rate_card": books.edition.rate_card,
    }
