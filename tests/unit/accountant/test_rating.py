from __future__ import annotations

import subprocess
import sys
from datetime import date
from decimal import Decimal

import pytest
from accounting import DAY, card, money_cell, rate, sku, used, user_cell

from accountant.meters import unit_of
from accountant.rating import RatedMeter, priced_meters, rate_cells, rate_usage
from tollgate.ledger.cells import Meter, Usage

NOVEMBER = date(2026, 11, 1)


def amounts(rated: list[RatedMeter]) -> dict[str, Decimal | None]:
    return {each.meter: each.amount for each in rated}


def test_every_leaf_is_priced_by_itself() -> None:
    usage = Usage(1, {"input": Meter(360, 1), "cached_input": Meter(640, 1)})
    assert amounts(rate_usage(sku(), usage, DAY, card())) == {
        "input": Decimal("0.000054"),
        "cached_input": Decimal("0.000048"),
    }


def test_reasoning_is_priced_as_output() -> None:
    usage = Usage(3, {"output": Meter(30, 3), "reasoning_output": Meter(90, 2)})
    assert priced_meters(usage) == {"output": Meter(120, 3)}


def test_output_that_was_all_reasoning_has_the_requests_of_output() -> None:
    usage = Usage(3, {"output": Meter(0, 3), "reasoning_output": Meter(90, 3)})
    assert priced_meters(usage) == {"output": Meter(90, 3)}


def test_requests_of_output_are_never_those_of_reasoning_where_both_are_known() -> None:
    usage = Usage(5, {"output": Meter(30, 2), "reasoning_output": Meter(90, 3)})
    assert priced_meters(usage) == {"output": Meter(120, 2)}


def test_reasoning_of_older_cells_has_its_own_requests() -> None:
    usage = Usage(3, {"reasoning_output": Meter(90, 3)})
    assert priced_meters(usage) == {"output": Meter(90, 3)}


def test_usage_without_a_rate_has_no_amount() -> None:
    (rated,) = rate_usage(sku(), used(meter="images:1024x1024"), DAY, card())
    assert rated.rate is None
    assert rated.amount is None


def test_a_meter_without_a_quantity_is_no_line() -> None:
    assert rate_usage(sku(), used(0), DAY, card()) == []


@pytest.mark.parametrize(
    ("hour", "price"), [("2026-10-31T23", Decimal(1)), ("2026-11-01T00", Decimal(2))]
)
def test_rates_change_at_utc_midnight(hour: str, price: Decimal) -> None:
    changed = card(rate("1", effective_to=NOVEMBER), rate("2", effective_from=NOVEMBER))
    (by_hour,) = rate_cells([money_cell(hour=hour)], changed)
    (by_day,) = rate_cells([user_cell(day=hour[:10])], changed)
    for line in (by_hour, by_day):
        assert line.rated.rate is not None
        assert line.rated.rate.unit_price == price


def test_a_line_says_who_pays_and_who_used_it() -> None:
    (by_hour,) = rate_cells([money_cell()], card())
    (by_day,) = rate_cells([user_cell()], card())
    assert (by_hour.tenant, by_hour.billing_code, by_hour.user) == ("contoso", "CC-1001", None)
    assert by_day.user == "alice"


@pytest.mark.parametrize(
    ("meter", "unit"),
    [
        ("cached_audio_input", "token"),
        ("images:1024x1024:hd", "image"),
        ("milliseconds", "millisecond"),
        ("new_things", "new_things"),
    ],
)
def test_a_meter_has_its_unit(meter: str, unit: str) -> None:
    assert unit_of(meter) == unit


def test_a_gateway_can_rate_without_pandas() -> None:
    told = "import sys, accountant.rating; print({'pandas', 'pydantic', 'rich'} & {*sys.modules})"
    found = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert found.stdout == "set()\n"
