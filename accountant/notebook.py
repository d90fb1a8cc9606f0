"""For notebooks: a month's charges as a pandas frame, from the same books as the statements.

>>> from accountant.notebook import month_frame
>>> frame = month_frame(Asked(period="2026-10", redis_url="redis://127.0.0.1:16379/0"))
>>> frame.groupby(["tenant", "model"])["amount"].sum()
"""

from __future__ import annotations

import pandas as pd

from accountant.commands.charge_reader import Asked, open_month
from accountant.commands.export_summary import books_of
from accountant.exports.charge_frame import charge_frame

__all__ = ["Asked", "month_frame"]


def month_frame(asked: Asked) -> pd.DataFrame:
    """A month's charges, a row a UTC day, billing code, SKU and meter.

    Parts of shared costs, credits, corrections and each statement's rounding are rows, so `amount`
    adds up to the total. Usage without a rate or a count has a row without an amount: see
    `status`.

    Args:
        asked: Which month's books; a closed month comes from its snapshot.

    Raises:
        TollgateError: Something that was asked for cannot be used, or be reached; in words.
    """
    with open_month(asked) as reader:
        charges = list(reader.read())  # its state of the books is whole once it is read
        return charge_frame(charges, books_of(reader))
