from __future__ import annotations

import pytest

from tollgate.health import Finding, Health, Status

DEGRADED, FAILING = Finding("degraded", "slow"), Finding("failing", "full")


@pytest.mark.parametrize(
    ("findings", "status", "http_status"),
    [
        ([], "ok", 200),
        ([DEGRADED], "degraded", 200),
        ([FAILING, DEGRADED], "failing", 503),
    ],
)
def test_the_worst_finding_decides(
    findings: list[Finding], status: Status, http_status: int
) -> None:
    health = Health(findings, {})
    assert (health.status, health.http_status) == (status, http_status)


def test_parts_stand_beside_each_other_with_all_reasons() -> None:
    whole = Health([DEGRADED], {"depth": 1}).beside(Health([FAILING], {"lag_s": 2}), "ledger")
    assert whole.content() == {
        "status": "failing",
        "reasons": ["slow", "full"],
        "depth": 1,
        "ledger": {"lag_s": 2},
    }
