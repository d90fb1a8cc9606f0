"""What all rows of an export share: the month, its currency, and the state of its books."""

from __future__ import annotations

from datetime import date, timedelta

import msgspec

from accountant.edition import DRAFT, Edition
from accountant.errors import NoStatementNumber
from tollgate.usage.periods import Month


class Books(msgspec.Struct, frozen=True, kw_only=True):
    """The books that an export is of.

    Args:
        period: The month that is billed.
        currency: ISO 4217.
        edition: Which state of the books it is.
        account: The id of the billing account in FOCUS, which is also its name.
        issuer: Who provides the service to the tenants and issues their statements: one name, as
            FOCUS has no cost in a row whose provider is not its issuer. It is told apart from
            the publisher, whose own bill may stand in the same table.
    """

    period: Month
    currency: str
    edition: Edition = DRAFT
    account: str = "chargeback"
    issuer: str = "Tollgate"

    @property
    def last_day(self) -> date:
        """The month's last UTC day."""
        return self.period.end.date() - timedelta(days=1)

    @property
    def document_date(self) -> date:
        """The UTC day of the close; before it, the month's last."""
        return self.edition.closed_on or self.last_day

    def statement_number(self, tenant: str) -> str | None:
        """The number of a tenant's statement; None before the close, when nobody has one.

        Raises:
            NoStatementNumber: Others have one and the tenant has none.
        """
        numbers = self.edition.numbers
        if numbers and tenant not in numbers:
            raise NoStatementNumber(
                f"{self.period} is {self.edition.status}, and tenant {tenant!r} has charges but no "
                "statement in it; close the month again from its snapshot"
            )
        return numbers.get(tenant)
