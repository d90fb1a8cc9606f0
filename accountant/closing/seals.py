"""The seal of a closed month: what was closed, by whom, and the digest of all of it.

A seal is a JSON file that a person can read. It names the digest of the month's charges and that of
the seal before it, so seals are a chain: whoever changes a figure of an old month would have to
change every seal since, and every statement that was sent with its digest.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from typing import Final, Literal

import msgspec

from accountant.closing.charge_files import ChargeFile
from accountant.edition import Edition, Waiver

FORMAT: Final = "tollgate-closed-month-1"


class LetPass(msgspec.Struct, frozen=True, kw_only=True):
    """What was waived at a close, and how much of it there was.

    Args:
        what: Its kind, as a waiver names it.
        tenant: Whose; None is everyone's.
        months: How much by the month that it is of.
        waiver: As it is printed.
    """

    what: str
    tenant: str | None
    months: dict[str, int]
    waiver: Waiver


class NumberedStatement(msgspec.Struct, frozen=True, kw_only=True):
    """One tenant's statement.

    Args:
        tenant: Whose.
        number: Sequential in the books, without gaps.
        total: In the currency of the books.
    """

    tenant: str
    number: str
    total: Decimal


class Seal(msgspec.Struct, frozen=True, kw_only=True):
    """What was closed.

    Args:
        month: As `2026-10`.
        closed_at: When, in UTC.
        by: Who closed it, as typed.
        product: The version of Tollgate that did.
        currency: ISO 4217.
        draft: Of what was closed, before it was: what its prices were.
        previous: The digest of the seal of the month before; None is the first of the books.
        charges: Where they are.
        cells: The digests of the ledger's cells by month, of this and of all closed before it.
        requests: Tenant, provenance, how many.
        statements: By tenant.
        total: The sum of the statements.
        last_number: The last statement's that was given in the books so far.
        corrects: The earlier months that the statements correct.
        let_pass: What was waived.
        cost_centres: The dated rows that say where it is posted; None: no costs did.
        unseen: What could not be looked at when it was closed, in words.
    """

    month: str
    closed_at: datetime
    by: str
    product: str
    currency: str
    draft: Edition
    previous: str | None
    charges: ChargeFile
    cells: dict[str, str]
    requests: list[tuple[str, str, int]]
    statements: list[NumberedStatement]
    total: Decimal
    last_number: int
    corrects: tuple[str, ...] = ()
    let_pass: tuple[LetPass, ...] = ()
    cost_centres: list[dict[str, str]] | None = None
    unseen: tuple[str, ...] = ()
    format: Literal["tollgate-closed-month-1"] = FORMAT

    @property
    def numbers(self) -> dict[str, str]:
        """The statements' numbers by tenant."""
        return {each.tenant: each.number for each in self.statements}


class Sealed(msgspec.Struct, frozen=True):
    """A seal, and the digest of all that it says."""

    seal: Seal
    digest: str


class _Signed(msgspec.Struct, frozen=True):
    digest: str
    closed: msgspec.Raw


def seal_bytes(seal: Seal) -> bytes:
    """The seal's file: indented, with the digest of what it says."""
    return _signed(msgspec.json.encode(seal))


def read_seal(content: bytes) -> Sealed | None:
    """The seal in a file; None: a byte of it is not what was closed."""
    try:
        signed = msgspec.json.decode(content, type=_Signed)
        seal = msgspec.json.decode(signed.closed, type=Seal)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    compact = msgspec.json.format(bytes(signed.closed), indent=-1)
    return Sealed(seal, signed.digest) if _signed(compact) == content else None


def _signed(compact: bytes) -> bytes:
    signed = _Signed(sha256(compact).hexdigest(), msgspec.Raw(compact))
    return msgspec.json.format(msgspec.json.encode(signed), indent=2) + b"\n"
