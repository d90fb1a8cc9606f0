"""Quotas of tokens a minute and requests in ten seconds, counted on arrival, as Azure's standard.

The tokens are an estimate: the most that the answer may take, with or without the prompt.
"""

from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Literal, TypeAlias

from tollgate.local.simulator.settings import SimulatedDeployment

Limit: TypeAlias = Literal["tokens", "requests"]

WINDOW_S = 60
REQUESTS_WINDOW_S = 10
# What Azure asks for when one request is larger than the whole quota.
NEVER_S = 86_400
# Stated in the headers of a deployment that never refuses.
NOMINAL_TOKENS_PER_MINUTE = 10_000_000


@dataclass(frozen=True, slots=True)
class Quota:
    """What a deployment's quotas say of one request.

    Attributes:
        limit_tokens: Tokens a minute.
        remaining_tokens: Tokens left in this minute.
        limit_requests: Requests in ten seconds.
        remaining_requests: Requests left in these ten seconds.
        exceeded: The quota that refuses the request; None when it is admitted.
        retry_after_s: Seconds to wait; None when the request is admitted.
    """

    limit_tokens: int
    remaining_tokens: int
    limit_requests: int
    remaining_requests: int
    exceeded: Limit | None = None
    retry_after_s: int | None = None

    def headers(self) -> dict[str, str]:
        """`x-ratelimit-limit-*` and `-remaining-*`."""
        return {
            "x-ratelimit-limit-tokens": str(self.limit_tokens),
            "x-ratelimit-remaining-tokens": str(self.remaining_tokens),
            "x-ratelimit-limit-requests": str(self.limit_requests),
            "x-ratelimit-remaining-requests": str(self.remaining_requests),
        }

    def reset_header(self) -> dict[str, str]:
        """`x-ratelimit-reset-*` of the quota that refuses, in seconds; none when admitted."""
        if self.exceeded is None:
            return {}
        return {f"x-ratelimit-reset-{self.exceeded}": str(self.retry_after_s)}


class _Windows:
    """What has been counted of each deployment in windows of a fixed length.

    Args:
        window_s: Length of a window in seconds; windows begin at whole multiples of it.
    """

    def __init__(self, window_s: int) -> None:
        self._window_s = window_s
        self._counted: dict[str, tuple[int, int]] = {}

    def used(self, name: str, at: datetime) -> int:
        window, used = self._counted.get(name, (0, 0))
        return used if window == int(at.timestamp() // self._window_s) else 0

    def count(self, name: str, amount: int, at: datetime) -> None:
        used = self.used(name, at) + amount
        self._counted[name] = (int(at.timestamp() // self._window_s), used)

    def left_s(self, at: datetime) -> int:
        return ceil(self._window_s - at.timestamp() % self._window_s)


class TokenLimits:
    """Counts the estimates and the requests of each deployment."""

    def __init__(self) -> None:
        self._tokens = _Windows(WINDOW_S)
        self._requests = _Windows(REQUESTS_WINDOW_S)

    def admit(self, name: str, deployment: SimulatedDeployment, tokens: int, at: datetime) -> Quota:
        """Counts a request, or refuses it uncounted.

        Args:
            name: Name of the deployment.
            deployment: What stands behind it.
            tokens: Estimate of the tokens that the request takes.
            at: When the request arrived.
        """
        limit = deployment.tokens_per_minute or NOMINAL_TOKENS_PER_MINUTE
        used = self._tokens.used(name, at)
        if deployment.tokens_per_minute is not None and used + tokens > limit:
            wait_s = NEVER_S if tokens > limit else self._tokens.left_s(at)
            return self._quota(name, deployment, at, ("tokens", wait_s))
        most = deployment.requests_per_10s
        if most is not None and self._requests.used(name, at) >= most:
            return self._quota(name, deployment, at, ("requests", self._requests.left_s(at)))
        self._tokens.count(name, tokens, at)
        self._requests.count(name, 1, at)
        return self._quota(name, deployment, at)

    def _quota(
        self,
        name: str,
        deployment: SimulatedDeployment,
        at: datetime,
        refusal: tuple[Limit | None, int | None] = (None, None),
    ) -> Quota:
        limit = deployment.tokens_per_minute or NOMINAL_TOKENS_PER_MINUTE
        remaining = max(0, limit - self._tokens.used(name, at))
        requests = deployment.requests_per_10s
        if requests is None:  # a thousandth of the tokens, as Azure sets them
            return Quota(limit, remaining, max(1, limit // 1000), remaining // 1000, *refusal)
        left = max(0, requests - self._requests.used(name, at))
        return Quota(limit, remaining, requests, left, *refusal)
