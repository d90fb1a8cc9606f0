"""Asks gateways and the Functions app how far they are, over their `/health`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from http.client import HTTPException
from math import ceil
from typing import Final
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import urlopen

import msgspec

from accountant.closing.blockers import NO_MONTH, Blocker
from tollgate.errors import SettingsError
from tollgate.usage.periods import Month

_ANSWER_S: Final = 10.0
_MAX_BYTES: Final = 1_000_000
_UNHEALTHY: Final = 503  # says how it is, too


class _Ledger(msgspec.Struct):
    lag_s: float | None = None


class _Health(msgspec.Struct):
    journal_depth: int | None = None
    ledger: _Ledger | None = None


class HealthSeen(msgspec.Struct, frozen=True):
    """What they say.

    Args:
        blockers: What waits to be published, or to be counted.
        unseen: What they do not say, in words.
    """

    blockers: list[Blocker]
    unseen: list[str]


def health_seen(urls: Iterable[str], month: Month, now: datetime) -> HealthSeen:
    """What waits, of all of them.

    Args:
        urls: Of their `/health`.
        month: The one that is closed.
        now: In UTC.

    Raises:
        SettingsError: Some are no URL, or do not answer as `/health` does.
    """
    waiting, behind_s = 0, 0.0
    problems: list[str] = []
    unseen: list[str] = []
    answers = [(url, _ask(url, problems)) for url in urls]
    if all(health.journal_depth is None for _, health in answers):
        unseen.append(
            "what gateways have still to publish is not seen: no --health is of a gateway"
        )
    if all(health.ledger is None for _, health in answers):
        unseen.append("what waits in the hub is not seen: no --health is of the Functions app")
    for url, health in answers:
        waiting += health.journal_depth or 0
        lag_s = health.ledger.lag_s if health.ledger else None
        if health.ledger and lag_s is None:
            unseen.append(
                f"{_place(url)} counted nothing in the last minutes: the hub is empty or is stuck"
            )
        elif lag_s and now - timedelta(seconds=lag_s) < month.end:
            behind_s = max(behind_s, lag_s)
    if problems:
        raise SettingsError(problems)
    found = [Blocker(what="journal", months={NO_MONTH: waiting})] if waiting else []
    if behind_s:
        found.append(Blocker(what="hub-minutes", months={NO_MONTH: ceil(behind_s / 60)}))
    return HealthSeen(found, unseen)


def _ask(url: str, problems: list[str]) -> _Health:
    if urlsplit(url).scheme not in {"http", "https"}:
        problems.append(f"--health {url!r}: is no URL, such as https://HOST/api/health")
        return _Health()
    try:
        return msgspec.json.decode(_answer(url), type=_Health)
    except (OSError, HTTPException, ValueError) as error:
        told = getattr(error, "reason", None) or error
        problems.append(f"--health {_place(url)}: does not say how it is: {told}")
        return _Health()


def _answer(url: str) -> bytes:
    try:
        with urlopen(url, timeout=_ANSWER_S) as answer:  # noqa: S310  the scheme is checked
            return answer.read(_MAX_BYTES)
    except HTTPError as error:
        if error.code != _UNHEALTHY:
            raise
        with error:
            return error.read(_MAX_BYTES)


def _place(url: str) -> str:
    """Where, without a key that may stand in the query."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}{parts.path}"
