"""The two lanes of requests: what is kept back of a deployment's capacity, only high may take."""

from __future__ import annotations

import re
from typing import Final, Literal

from tollgate.proxy.refusals import Refusal

Lane = Literal["high", "low"]

_LANES: Final[dict[str, Lane]] = {"high": "high", "low": "low"}
# RFC 9218: 0 is the most urgent, 7 the least; 3 is what a request has that says nothing.
_DEFAULT_URGENCY: Final = 3
_BARE: Final = re.compile(r"\d{1,3}")
_URGENCY: Final = re.compile(r"(?:^|,)[ \t]*u=([0-7])[ \t]*(?=[;,]|$)")


def parse_lane(x_priority: str | None, priority: str | None, tenant: Lane | None) -> Lane:
    """The lane of a request.

    A tenant that is set to low stays low. Any other may lower single requests by `x-priority: low`,
    or by `Priority` where there is no `x-priority`. What is no priority in `Priority` counts as
    absent, because browsers and proxies send that header for purposes of their own.

    Args:
        x_priority: The header `x-priority`: `high` or `low`, in any case.
        priority: The header `Priority`: RFC 9218's `u=0` to `u=7`, or a bare whole number. Up to 3
            is high, above it low.
        tenant: The lane of the tenant's settings.

    Raises:
        Refusal: 400 for another `x-priority`: a wrong guess would cost either side dearly.
    """
    asked = _by_urgency(priority) if x_priority is None else _LANES.get(x_priority.strip().lower())
    if x_priority is not None and asked is None:
        raise Refusal(
            400, "invalid_priority", "x-priority is neither high nor low.", param="x-priority"
        )
    return "low" if tenant == "low" else asked or "high"


def _by_urgency(priority: str | None) -> Lane | None:
    if priority is None:
        return None
    text = priority.strip()
    if _BARE.fullmatch(text):
        urgency = int(text)
    elif found := _URGENCY.findall(text):
        urgency = int(found[-1])  # of a repeated key the last one counts (RFC 8941, 3.2)
    else:
        return None
    return "high" if urgency <= _DEFAULT_URGENCY else "low"
