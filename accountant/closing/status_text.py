"""The states of the months, as lines for people and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from accountant.closing.books import Books
from accountant.closing.seals import Sealed
from accountant.labels import shown
from tollgate.usage.periods import Month


def status_lines(books: Books, month: Month | None) -> Iterator[str]:
    """One line a closed month, and one for what is open; of one month, all that its seal says.

    Args:
        books: The closed months.
        month: Only this one; None is all.
    """
    if month is not None:
        sealed = books.closed(month)
        yield from _one(books, sealed) if sealed else [f"{month}  {_open(books, month)}"]
        return
    for sealed in books.sealed:
        yield _line(books, sealed)
    following = books.open_month
    yield f"{following}  draft, the next to be closed" if following else "no month is closed"


def status_json(books: Books, month: Month | None) -> str:
    """One object with a list of months.

    Args:
        books: The closed months.
        month: Only this one; None is all, and the first open one.
    """
    wanted = [each for each in books.sealed if month is None or each.seal.month == str(month)]
    months = [_members(books, sealed) for sealed in wanted]
    draft = books.open_month if month is None else None if wanted else month
    if draft:
        months.append({"month": str(draft), "status": _open(books, draft)})
    return json.dumps({"months": months}, ensure_ascii=False, indent=2)


def _open(books: Books, month: Month) -> str:
    """What a month is that is not closed; one before the books never will be."""
    first = books.open_month
    return "draft" if first is None or month >= first else "before the books"


def _line(books: Books, sealed: Sealed) -> str:
    seal, edition = sealed.seal, books.edition(sealed)
    by = ", ".join(edition.restated_by)
    restated = f"restated by {by}, " if by else ""
    closed = f"{restated}closed {seal.closed_at:%Y-%m-%d} by {shown(seal.by)}"
    count = f"{len(seal.statements):,} statement{'s' * (len(seal.statements) != 1)}"
    return f"{seal.month}  {closed}: {count}, {seal.total} {seal.currency}, {sealed.digest[:12]}"


def _one(books: Books, sealed: Sealed) -> Iterator[str]:
    seal = sealed.seal
    yield _line(books, sealed)
    yield f"  rate card {seal.draft.rate_card}, Tollgate {seal.product}"
    yield f"  digest {sealed.digest}"
    yield f"  charges {seal.charges.name}, {seal.charges.rows:,} rows"
    if seal.corrects:
        yield f"  corrects {', '.join(seal.corrects)}"
    for each in seal.statements:
        yield f"  {each.number}  {shown(each.tenant)}  {each.total}"
    for each in seal.let_pass:
        waiver = each.waiver
        yield f"  let pass: {waiver.what}: {shown(waiver.reason)} ({shown(waiver.by)})"
    yield from (f"  not seen at the close: {line}" for line in seal.unseen)


def _members(books: Books, sealed: Sealed) -> dict[str, Any]:
    seal, edition = sealed.seal, books.edition(sealed)
    return {
        "month": seal.month,
        "status": edition.status,
        "closed_at": seal.closed_at.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "by": seal.by,
        "digest": sealed.digest,
        "rate_card": edition.rate_card,
        "currency": seal.currency,
        "total": str(seal.total),
        "statements": [
            {"number": each.number, "tenant": each.tenant, "total": str(each.total)}
            for each in seal.statements
        ],
        "corrects": list(seal.corrects),
        "restated_by": list(edition.restated_by),
        "waivers": [
            {"what": each.what, "reason": each.reason, "by": each.by} for each in edition.waivers
        ],
        "unseen": list(seal.unseen),
    }
