from __future__ import annotations

import json
from datetime import date

from accounting import OCTOBER
from exporting import journal_of, owed

from accountant.charges import Correction
from accountant.edition import Edition
from accountant.exports.books import Books
from accountant.exports.journal_json import journal_json
from tollgate.ledger.cells import OVERFLOW

EDITION = Edition(
    status="closed", rate_card="v1", closed_on=date(2026, 11, 3), numbers={"contoso": "S-1"}
)
BOOKS = Books(period=OCTOBER, currency="JPY", edition=EDITION)
LATE = Correction(month="2026-09", statement="S-0", line=3, reason="usage")


def test_a_batch_is_balanced_and_money_is_text() -> None:
    charges = [owed("10"), owed("-4", billing_code=OVERFLOW), owed("-1", correction=LATE)]
    told = json.loads(journal_json(journal_of(charges, BOOKS), BOOKS))
    batches = told.pop("batches")
    assert told == {
        "period": "2026-10",
        "currency": "JPY",
        "status": "closed",
        "rate_card": "v1",
        "document_date": "2026-11-03",
        "posting_date": "2026-10-31",
    }
    assert [(each["batch"], each["debit"], each["credit"]) for each in batches] == [
        ("2026-10 JPY", "10", "10"),
        ("2026-10 JPY corrections", "1", "1"),
    ]
    codes = [each["billing_code"] for each in batches[0]["postings"]]
    assert codes == ["CC-1001", {"overflow": True}, None]
    assert batches[1]["postings"][0] == {
        "reference": "S-1",
        "account": "EXPENSE",
        "cost_centre": "CC-1001",
        "amount": "-1",
        "text": "Usage 2026-10 contoso CC-1001, corrects line 3 of S-0 (usage)",
        "tenant": "contoso",
        "billing_code": "CC-1001",
        "corrects": {"month": "2026-09", "statement": "S-0", "line": 3},
    }
    assert batches[1]["postings"][1]["corrects"] is None
