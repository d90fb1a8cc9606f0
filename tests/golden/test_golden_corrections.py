from __future__ import annotations

import asyncio
import csv
from datetime import datetime
from decimal import Decimal
from io import StringIO
from pathlib import Path

from closed_months import LATER, close_month, corrections_in

from accountant.closing.books import Books
from accountant.money import plain
from accountant.rate_cards.rate_card import RateCard
from accountant.rate_cards.rate_files import load_rate_card
from tollgate.ledger.memory_ledger import MemoryLedger
from tollgate.usage.event import decode_event
from tollgate.usage.periods import Month

FOLDER = Path(__file__).parent / "corrections"
COLUMNS = "statement,corrects,line,tenant,billing_code,day,meter,quantity,unit_price,amount,reason"


def deliver(ledger: MemoryLedger, name: str, now: datetime = LATER) -> None:
    lines = (FOLDER / name).read_bytes().splitlines()
    asyncio.run(ledger.apply([decode_event(line) for line in lines], now=now))


def cards(folder: Path) -> tuple[RateCard, RateCard]:
    """The card with which January was closed, and the corrected one."""
    text = (FOLDER / "rates.toml").read_text()
    (folder / "corrected.toml").write_text(text.replace('"0.20"', '"0.10"'))
    return load_rate_card(FOLDER / "rates.toml"), load_rate_card(folder / "corrected.toml")


def corrections_csv(books: Books) -> str:
    """What the last closed month corrects."""
    seal = books.sealed[-1].seal
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS.split(","))
    for each in corrections_in(books.charges(seal)):
        assert each.correction
        assert each.consumed
        assert each.price
        what = (each.correction.statement, each.correction.line, each.tenant, each.billing_code)
        used = (each.start, each.consumed.meter, each.consumed.quantity, each.price.charged)
        row = (seal.numbers[each.tenant], *what, *used, plain(each.amount), each.correction.reason)
        writer.writerow(row)
    return text.getvalue()


def test_corrections_are_byte_for_byte_what_was_worked_out(tmp_path: Path) -> None:
    ledger, (old, new), where = MemoryLedger(), cards(tmp_path), tmp_path / "books"
    deliver(ledger, "january.jsonl")
    close_month(ledger, where, Month(2026, 1), old)
    deliver(ledger, "february.jsonl")
    close_month(ledger, where, Month(2026, 2), new)
    books = Books(where)
    totals = [[each.total for each in sealed.seal.statements] for sealed in books.sealed]
    assert totals == [
        [Decimal("0.80"), Decimal("0.20")],
        [Decimal("-0.20"), Decimal("-0.10")],
    ]
    assert corrections_csv(books) == (FOLDER / "corrections.csv").read_text()
