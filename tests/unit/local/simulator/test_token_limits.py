from datetime import UTC, datetime, timedelta

from tollgate.local.simulator import SimulatedDeployment
from tollgate.local.simulator.token_limits import NEVER_S, TokenLimits

AT = datetime(2026, 10, 31, 12, 0, 15, tzinfo=UTC)
SMALL = SimulatedDeployment(model="gpt-4o", version="2024-11-20", tokens_per_minute=1000)


def test_requests_pass_until_the_minute_is_used_up() -> None:
    limits = TokenLimits()
    assert limits.admit("d", SMALL, 600, AT).remaining_tokens == 400
    assert limits.admit("d", SMALL, 600, AT).retry_after_s == 45
    assert limits.admit("d", SMALL, 400, AT).retry_after_s is None


def test_next_minute_begins_anew() -> None:
    limits = TokenLimits()
    limits.admit("d", SMALL, 1000, AT)
    assert limits.admit("d", SMALL, 1000, AT + timedelta(seconds=45)).retry_after_s is None


def test_request_larger_than_the_quota_waits_a_day() -> None:
    assert TokenLimits().admit("d", SMALL, 1001, AT).retry_after_s == NEVER_S


def test_deployments_are_counted_apart() -> None:
    limits = TokenLimits()
    limits.admit("a", SMALL, 1000, AT)
    assert limits.admit("b", SMALL, 1000, AT).retry_after_s is None


def test_unlimited_deployment_never_refuses(mini: SimulatedDeployment) -> None:
    quota = TokenLimits().admit("d", mini, 10**9, AT)
    assert quota.retry_after_s is None
    assert quota.headers()["x-ratelimit-remaining-tokens"] == "0"


def test_requests_pass_until_their_ten_seconds_are_used_up() -> None:
    two = SMALL.model_copy(update={"requests_per_10s": 2})
    limits = TokenLimits()
    first = limits.admit("d", two, 10, AT)
    assert (first.limit_requests, first.remaining_requests) == (2, 1)
    limits.admit("d", two, 10, AT)
    refused = limits.admit("d", two, 10, AT)
    assert (refused.exceeded, refused.retry_after_s, refused.remaining_tokens) == (
        "requests",
        5,
        980,
    )
    assert limits.admit("d", two, 10, AT + timedelta(seconds=5)).exceeded is None


def test_refusal_says_when_the_quota_begins_anew() -> None:
    limits = TokenLimits()
    assert limits.admit("d", SMALL, 1000, AT).reset_header() == {}
    refused = limits.admit("d", SMALL, 1, AT)
    assert refused.reset_header() == {"x-ratelimit-reset-tokens": "45"}
