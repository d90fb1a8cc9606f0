"""What can go wrong here, beside what reading the ledger raises.

TollgateError
└── RateCardError        the rate files cannot be used; holds every problem
"""

from __future__ import annotations

from tollgate.errors import TollgateError


class RateCardError(TollgateError):
    """The rate files cannot be used; mend them and run again.

    Args:
        problems: Every problem found, each with its file and row.
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems
