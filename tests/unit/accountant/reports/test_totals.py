from __future__ import annotations

from decimal import Decimal
from typing import Any

from accountant.reports.totals import total_by


def row(**members: Any) -> dict[str, Any]:
    return {"quantity": 1, "requests": 1, **members}


def test_rows_with_the_same_keys_are_added() -> None:
    rows = [row(tenant="a", quantity=2), row(tenant="b"), row(tenant="a", requests=3)]
    assert total_by(rows, ["tenant"]) == [
        {"tenant": "a", "quantity": 3, "requests": 4},
        {"tenant": "b", "quantity": 1, "requests": 1},
    ]


def test_none_is_a_key_like_any_other() -> None:
    (total,) = total_by([row(code=None), row(code=None)], ["code"])
    assert total["code"] is None
    assert total["quantity"] == 2


def test_counts_beyond_int64_stay_whole() -> None:
    (total,) = total_by([row(tenant="a", quantity=2**63), row(tenant="a", quantity=1)], ["tenant"])
    assert total["quantity"] == 2**63 + 1
    assert type(total["quantity"]) is int


def test_prices_stay_decimal_and_are_equal_by_value() -> None:
    (total,) = total_by([row(price=Decimal("0.15")), row(price=Decimal("0.150"))], ["price"])
    assert total["price"] == Decimal("0.15")
    assert isinstance(total["price"], Decimal)


def test_rows_may_come_from_a_stream() -> None:
    (total,) = total_by((row(tenant="a") for _ in range(120_000)), ["tenant"])
    assert total == {"tenant": "a", "quantity": 120_000, "requests": 120_000}


def test_no_rows_give_no_groups() -> None:
    assert total_by([], ["tenant"]) == []
