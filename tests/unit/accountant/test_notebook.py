from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from accounting import apply_on_redis, empty_redis
from builders import event

from accountant.errors import NoSuchTenant
from accountant.notebook import Asked, month_frame

RATES = Path(__file__).parents[2] / "golden" / "2026-10" / "rates.toml"


@pytest.fixture
def ledger(valkey_url: str) -> str:
    url = empty_redis(valkey_url)
    apply_on_redis(url, [event("1"), event("2", tenant="fabrikam")])
    return url


def test_a_month_is_a_frame_that_adds_up_to_its_statements(ledger: str) -> None:
    frame: Any = month_frame(Asked(period="2026-10", rates=RATES, redis_url=ledger))
    assert set(frame["tenant"]) == {"contoso", "fabrikam"}
    assert frame["amount"].sum() == Decimal("0.00")
    assert set(frame["status"]) == {"charged"}


def test_one_tenants_frame_has_only_its_charges(ledger: str) -> None:
    frame: Any = month_frame(Asked(period="2026-10", tenant="fabrikam", redis_url=ledger))
    assert set(frame["tenant"]) == {"fabrikam"}


def test_an_unknown_tenant_is_told(ledger: str) -> None:
    with pytest.raises(NoSuchTenant, match="contso"):
        month_frame(Asked(period="2026-10", tenant="contso", redis_url=ledger))
