"""What can go wrong here, beside what reading the ledger raises.

TollgateError
├── BooksError           the books of closed months cannot be used; holds every problem
├── CloseRefused         a month cannot be closed yet; holds every reason
├── CostsError           the files of fixed costs cannot be used; holds every problem
├── NoRoomForAmount      an amount has more digits than a file's column
├── NoStatementNumber    a closed month has charges of a tenant who has no statement in it
├── NoSuchTenant         the ledger has never seen the tenant
├── RateCardError        the rate files cannot be used; holds every problem
└── WriterEnded          a process that wrote statements ended before its time
"""

from __future__ import annotations

from tollgate.errors import TollgateError


class BooksError(TollgateError):
    """The books of closed months cannot be used; mend them from a copy.

    Args:
        problems: Every problem found, each with its file.
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class CloseRefused(TollgateError):  # noqa: N818  an answer, named as callers read it
    """A month cannot be closed yet; nothing was written.

    Args:
        reasons: Every reason.
        waivers: What would let it pass, as a waivers file has it; empty if nothing would.
    """

    def __init__(self, reasons: list[str], waivers: str = "") -> None:
        super().__init__("\n".join(reasons))
        self.reasons = reasons
        self.waivers = waivers


class CostsError(TollgateError):
    """The files of fixed costs cannot be used, or lack what the month needs.

    Args:
        problems: Every problem found, each with its file and row, or with the days it is about.
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class NoRoomForAmount(TollgateError):  # noqa: N818  named as NoSuchTenant is
    """An amount has more digits than a file's column; it is not rounded to fit."""


class NoStatementNumber(TollgateError):  # noqa: N818  named as NoSuchTenant is
    """A closed month has charges of a tenant who has no statement in it; its close is not whole."""


class NoSuchTenant(TollgateError):  # noqa: N818  an answer, named as callers read it
    """The ledger has never seen the tenant; its name may be misspelt."""


class RateCardError(TollgateError):
    """The rate files cannot be used; mend them and run again.

    Args:
        problems: Every problem found, each with its file and row.
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class WriterEnded(TollgateError):  # noqa: N818  named as NoSuchTenant is
    """A process that wrote statements ended before its time; what is written is whole."""
