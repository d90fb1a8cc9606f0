"""The journal as JSON: one object, a balanced batch after the other, money as text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from accountant.exports.books import Books
from accountant.exports.journal import Posting
from accountant.money import EXACT, total
from tollgate.ledger.cells import OVERFLOW


def journal_json(postings: Iterable[Posting], books: Books) -> str:
    """One object, indented; the same bytes for the same postings.

    A credit is negative. A name is text; usage without a billing code has null there, and what
    stands for all codes beyond the ledger's limit is `{"overflow": true}`.

    Args:
        postings: By batch.
        books: The month, its currency, and the state of its books.
    """
    told = {
        "period": str(books.period),
        "currency": books.currency,
        "status": books.edition.status,
        "rate_card": books.edition.rate_card,
        "document_date": books.document_date.isoformat(),
        "posting_date": books.last_day.isoformat(),
        "batches": [
            _batch(name, [*group])
            for name, group in groupby(postings, lambda posting: posting.batch)
        ],
    }
    return json.dumps(told, ensure_ascii=False, indent=2) + "\n"


def _batch(name: str, postings: Sequence[Posting]) -> Mapping[str, Any]:
    amounts = [posting.amount for posting in postings]
    return {
        "batch": name,
        "debit": f"{total(amount for amount in amounts if amount > 0):f}",
        "credit": f"{EXACT.minus(total(amount for amount in amounts if amount < 0)):f}",
        "postings": [_posting(posting) for posting in postings],
    }


def _posting(posting: Posting) -> Mapping[str, Any]:
    code, late = posting.billing_code, posting.correction
    return {
        "reference": posting.reference,
        "account": posting.account,
        "cost_centre": posting.cost_centre or None,
        "amount": f"{posting.amount:f}",
        "text": posting.text,
        "tenant": posting.tenant,
        "billing_code": {"overflow": True} if code == OVERFLOW else code,
        "corrects": late and {"month": late.month, "statement": late.statement, "line": late.line},
    }
