from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from accounting import apply_on_redis
from builders import event
from planned_ledgers import card_in, costs_in, daily, planned_ledger, run

from tollgate.usage.tokens import Tokens

pytest_plugins = ["servers"]

DATABASE = 14  # of its own, beside those of other tests


@pytest.fixture
def ledger(redis_server: str) -> str:
    url = planned_ledger(f"{redis_server}/{DATABASE}")
    apply_on_redis(url, daily(datetime(2026, 10, 1, 9, tzinfo=UTC), 2, tenant="fabrikam"))
    return url


def test_unit_costs_are_told_by_tenant(ledger: str, tmp_path: Path) -> None:
    options = ("--rates", card_in(tmp_path), "--format", "json", "--ptu-usd-per-hour", "2")
    result = run("economics", "2026-10", *options, redis_url=ledger)
    assert (result.exit_code, result.stderr) == (0, "")
    found = json.loads(result.stdout)
    assert [each["tenant"] for each in found["groups"]] == ["contoso", "fabrikam"]
    assert found["groups"][0]["requests"] == 20
    assert found["groups"][0]["per_1000_requests"] == "1000.0002"
    assert found["gateway_cache_saving"] is None
    assert found["break_even"][0]["model"] == "gpt-4o-mini"


def test_the_others_are_one_row_and_all_is_the_total(ledger: str, tmp_path: Path) -> None:
    options = ("--rates", card_in(tmp_path), "--top", "1", "--by", "tenant,model")
    result = run("economics", "2026-10", *options, "--format", "json", redis_url=ledger)
    found = json.loads(result.stdout)
    assert (found["groups_others"]["groups"], found["groups_total"]["groups"]) == (1, 2)
    assert found["groups_total"]["usage_cost"] == found["usage_cost"] == "22.0000044"


def test_months_without_data_say_so(ledger: str, tmp_path: Path) -> None:
    result = run("economics", "2025-10", "--rates", card_in(tmp_path), redis_url=ledger)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "accountant: no usage in 2025-10\n"


def test_a_price_in_usd_does_not_compare_with_other_rates(ledger: str, tmp_path: Path) -> None:
    options = ("--rates", card_in(tmp_path, "EUR"), "--ptu-usd-per-hour", "1.00")
    result = run("economics", "2026-10", *options, redis_url=ledger)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        "accountant: --ptu-usd-per-hour is in USD, but the rates are in EUR; they do not compare\n"
    )


def test_every_mistake_is_told_at_once() -> None:
    result = run("economics", "2026-13", "--by", "user", "--ptu-usd-per-hour", "-1")
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 3


def test_provisioned_throughput_has_figures_of_its_own(ledger: str, tmp_path: Path) -> None:
    served = event(
        "ptu",
        datetime(2026, 10, 1, 9, tzinfo=UTC),
        deployment="ptu",
        deployment_type="provisioned",
        tokens=Tokens(input=6_000_000, output=0),
    )
    apply_on_redis(ledger, [served])
    books = ("--costs", costs_in(tmp_path), "--rates", card_in(tmp_path), "--format", "json")
    found = json.loads(run("economics", "2026-10", *books, redis_url=ledger).stdout)
    assert found["provisioned"] == [
        {
            "used": "1",
            "idle": "23",
            "cost": "24",
            "used_percent": "4.2",
            "tokens": 6_000_000,
            "per_1m_tokens": "4",
        }
    ]
    assert found["groups"][0]["requests"] == 20


def test_a_saving_is_in_the_currency_of_the_books(ledger: str, tmp_path: Path) -> None:
    tokens = Tokens(input=2_000_000, cached_input=1_000_000, output=0)
    cached = event("c", datetime(2026, 10, 3, tzinfo=UTC), tokens=tokens)
    apply_on_redis(ledger, [cached])
    books = ("--costs", costs_in(tmp_path), "--rates", card_in(tmp_path), "--format", "json")
    for currency, saved in (("USD", "0.075"), ("EUR", "0.0375")):
        result = run("economics", "2026-10", *books, "--currency", currency, redis_url=ledger)
        assert json.loads(result.stdout)["groups"][0]["cache_saving"] == saved
