"""Tokens-per-minute quotas, counted on arrival from an estimate, as Azure's standard ones."""

from dataclasses import dataclass
from datetime import datetime
from math import ceil

from tollgate.local.simulator.settings import SimulatedDeployment

WINDOW_S = 60
# What Azure asks for when one request is larger than the whole quota.
NEVER_S = 86_400
# Stated in the headers of a deployment that never refuses.
NOMINAL_TOKENS_PER_MINUTE = 10_000_000


@dataclass(frozen=True, slots=True)
class Quota:
    """What a deployment's quota says of one request.

    Attributes:
        limit_tokens: Tokens a minute.
        remaining_tokens: Tokens left in this minute.
        retry_after_s: Seconds to wait; None when the request is admitted.
    """

    limit_tokens: int
    remaining_tokens: int
    retry_after_s: int | None = None

    def headers(self) -> dict[str, str]:
        """The `x-ratelimit-*` headers; requests are a thousandth of tokens, as Azure sets them."""
        return {
            "x-ratelimit-limit-tokens": str(self.limit_tokens),
            "x-ratelimit-remaining-tokens": str(self.remaining_tokens),
            "x-ratelimit-limit-requests": str(max(1, self.limit_tokens // 1000)),
            "x-ratelimit-remaining-requests": str(self.remaining_tokens // 1000),
        }


class TokenLimits:
    """Counts the estimates of each deployment in windows of one minute."""

    def __init__(self) -> None:
        self._used: dict[str, tuple[int, int]] = {}

    def admit(self, name: str, deployment: SimulatedDeployment, tokens: int, at: datetime) -> Quota:
        """Counts a request, or refuses it uncounted.

        Args:
            name: Name of the deployment.
            deployment: What stands behind it.
            tokens: Estimate: prompt and the most that the answers may take.
            at: When the request arrived.
        """
        limit = deployment.tokens_per_minute or NOMINAL_TOKENS_PER_MINUTE
        window, seconds_in = divmod(at.timestamp(), WINDOW_S)
        counted_in, used = self._used.get(name, (0, 0))
        used = used if counted_in == int(window) else 0
        if deployment.tokens_per_minute is not None and used + tokens > limit:
            wait_s = NEVER_S if tokens > limit else ceil(WINDOW_S - seconds_in)
            return Quota(limit, max(0, limit - used), wait_s)
        self._used[name] = (int(window), used + tokens)
        return Quota(limit, max(0, limit - used - tokens))
