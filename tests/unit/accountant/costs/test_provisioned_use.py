from __future__ import annotations

import msgspec
from accounting import money_cell, user_cell
from costing import provisioned, ptu

from accountant.costs.provisioned_use import ProvisionedUse, token_meters
from tollgate.ledger.cells import Meter, Usage

A = ("contoso", "a")
MANY = Usage(
    2,
    {
        "input": Meter(100, 2),
        "cached_input": Meter(50, 1),
        "cache_write_input": Meter(7, 1),
        "output": Meter(10, 2),
        "reasoning_output": Meter(5, 1),
        "web_search_calls": Meter(3, 1),
    },
)
SERVED = money_cell(sku=provisioned(), usage=MANY)


def test_what_takes_capacity_is_counted_by_the_hour_and_payer() -> None:
    use = ProvisionedUse([ptu()])
    for cell in (SERVED, SERVED, money_cell(usage=MANY)):
        use.add(cell, A)
    ((hour, loads),) = use.hours[0].items()
    assert (hour, {payer: (load.uncached, load.out) for payer, load in loads.items()}) == (
        "2026-10-15T12",
        {A: (214, 30)},
    )


def test_all_tokens_are_kept_to_be_shown() -> None:
    use = ProvisionedUse([ptu()])
    use.add(SERVED, A)
    used = use.used[0][A]
    assert used.requests == 2
    assert used.by_meter() == (
        ("input", 100),
        ("cached_input", 50),
        ("cache_write_input", 7),
        ("output", 15),
    )


def test_tokens_that_are_paid_by_the_hour_have_no_price_and_other_meters_have() -> None:
    use = ProvisionedUse([ptu()])
    for cell in (SERVED, user_cell(sku=provisioned(), usage=MANY)):
        rest = use.by_token(cell).usage
        assert (rest.requests, [*rest.meters]) == (2, ["web_search_calls"])


def test_usage_that_nothing_pays_for_keeps_its_tokens() -> None:
    use = ProvisionedUse([ptu()])
    for cell in (
        msgspec.structs.replace(SERVED, hour="2026-10-16T00"),
        msgspec.structs.replace(SERVED, sku=provisioned(backend="x", region="y")),
        money_cell(usage=MANY),
    ):
        rows = ProvisionedUse([ptu(region="westeurope")])
        assert rows.by_token(cell) is cell
        assert rows.row_of(cell) is None
    assert use.row_of(SERVED) == 0


def test_meters_without_a_token_are_left_out() -> None:
    assert token_meters(Usage(1, {"input": Meter(1, 1), "images": Meter(2, 1)})) == {"input": 1}
