"""What of a charge is the month's own usage, and so can be modelled; the rest is taken as it is."""

from __future__ import annotations

from accountant.charges import Charge, Consumption, Price, Uncharged


def usage_of(charge: Charge) -> tuple[Consumption, Price] | None:
    """What was used and at which price; None is a purchase, a share, a credit or a correction."""
    return charge.metered if charge.category == "Usage" else None


def why_left_out(each: Uncharged) -> str:
    """Why usage is in no charge: its count is not known, or no rate holds for it."""
    return "uncounted" if each.consumed is None else "unpriced"
