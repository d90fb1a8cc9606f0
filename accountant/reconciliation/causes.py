"""Why two counts differ: what is known of both sides, in the order in which it is believed.

A cause explains no more than it can account for; what remains is unexplained.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final, Literal

import msgspec

from accountant.reconciliation.items import PROMPT, REQUESTS, Item
from accountant.reconciliation.sides import Booked, Provided

CauseKind = Literal[
    "time_shift",
    "direct",
    "rounding",
    "blocked_prompts",
    "broken_streams",
    "uncounted",
    "estimated",
    "audio",
]
WORDS: Final[dict[CauseKind, str]] = {
    "time_shift": "the two sides have it on different sides of midnight",
    "direct": "calls that bypassed the gateway: the ledger has none of this deployment",
    "rounding": "the digits in which the provider tells it",
    "blocked_prompts": "calls answered 400: the provider bills a prompt that its filter blocked",
    "broken_streams": "calls that broke off: the provider does not count them as answered",
    "uncounted": "requests that are pending or unknown in the ledger, at the month's average each",
    "estimated": "broken streams and blocked prompts, whose tokens the ledger estimates",
    "audio": "audio tokens, which Azure Monitor counts in a metric of their own",
}


_OF_PROMPTS: Final = frozenset({PROMPT, "input"})


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """A known part of a difference.

    Args:
        kind: Which it is, of `WORDS`.
        quantity: How much of the difference, with its sign.
        amount: The same in money; None where no money is compared.
    """

    kind: CauseKind
    quantity: int
    amount: Decimal | None = None


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one item on one day.

    Args:
        item: The item.
        provided: The provider's side; None: it has nothing.
        booked: The ledger's side; None: it has nothing.
        shifted: How much stands on a day beside it.
        is_direct: Whether the ledger has nothing of this deployment in the month.
        uncounted: The ledger's requests whose usage is not known.
        estimated: The ledger's requests whose usage is estimated.
        per_request: What a request uses of it on average; None is not known.
    """

    item: Item
    provided: Provided | None
    booked: Booked | None
    shifted: int = 0
    is_direct: bool = False
    uncounted: int = 0
    estimated: int = 0
    per_request: int | None = None


def difference(provided: Provided | None, booked: Booked | None) -> int:
    """The provider's count less the ledger's; who has nothing has zero of it."""
    return (provided.quantity if provided else 0) - (booked.quantity if booked else 0)


def causes_of(evidence: Evidence) -> tuple[list[Cause], int]:
    """The causes of a difference in quantity, and what they leave unexplained."""
    rest = difference(evidence.provided, evidence.booked)
    found: list[Cause] = []
    for kind, most in _most(evidence, rest):
        part = max(-most, min(most, rest))
        if part:
            found.append(Cause(kind=kind, quantity=part))
            rest -= part
    return found, rest


def _most(evidence: Evidence, rest: int) -> Iterator[tuple[CauseKind, int]]:
    """Each cause that the difference can have, with the most that it accounts for."""
    yield "time_shift", abs(evidence.shifted)
    if rest > 0 and evidence.is_direct:
        yield "direct", rest
    if evidence.item.meter == REQUESTS:
        yield from _most_requests(evidence, rest)
    else:
        yield from _most_tokens(evidence, rest)


def _most_requests(evidence: Evidence, rest: int) -> Iterator[tuple[CauseKind, int]]:
    """The provider counts what it answered, the ledger also what it will be billed for."""
    if rest < 0:
        provided = evidence.provided or Provided()
        yield "blocked_prompts", min(provided.blocked, evidence.estimated)
        yield "broken_streams", min(provided.broken, evidence.estimated + evidence.uncounted)
        yield "uncounted", evidence.uncounted


def _most_tokens(evidence: Evidence, rest: int) -> Iterator[tuple[CauseKind, int]]:
    provided, booked = evidence.provided or Provided(), evidence.booked or Booked()
    each = evidence.per_request
    yield "rounding", provided.rounding
    if rest > 0:
        if evidence.item.meter in _OF_PROMPTS:
            yield "blocked_prompts", provided.blocked * (each or 0)
        yield "uncounted", evidence.uncounted * (each or 0)
    if rest < 0 and evidence.item.meter == PROMPT:
        yield "audio", booked.audio
    yield "estimated", booked.estimated
