"""Which state of a month's books a document shows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final, Literal

import msgspec

Status = Literal["draft", "closed", "restated"]


class Waiver(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was let pass at the close, and why; it is printed on the statement.

    Args:
        what: The name by which it was waived.
        reason: Why, in the words of whoever waived it.
        by: Who waived it.
        tenant: Whose it is; None is everyone's.
    """

    what: str
    reason: str
    by: str
    tenant: str | None = None


class Edition(msgspec.Struct, frozen=True, kw_only=True):
    """The state of a month's books.

    Args:
        status: `draft` follows the ledger; `closed` never changes; `restated` is closed, and later
            statements correct it.
        rate_card: The version of the prices: a digest of all that they say.
        costs: The same of fixed costs, splits and exchange rates; None: there were none.
        closed_on: The UTC day of the close; None is a draft.
        digest: Of the snapshot; None is a draft.
        numbers: The statements' numbers by tenant; drafts have none.
        waivers: What was let pass at the close.
        restated_by: The months whose statements correct this one.
    """

    status: Status = "draft"
    rate_card: str | None = None
    costs: str | None = None
    closed_on: date | None = None
    digest: str | None = None
    numbers: Mapping[str, str] = {}
    waivers: tuple[Waiver, ...] = ()
    restated_by: tuple[str, ...] = ()

    def of(self, tenant: str) -> Edition:
        """What of it concerns one tenant, whose statement is for no other's eyes."""
        number = self.numbers.get(tenant)
        return msgspec.structs.replace(
            self,
            numbers={tenant: number} if number else {},
            waivers=tuple(each for each in self.waivers if each.tenant in {None, tenant}),
        )


DRAFT: Final = Edition()
