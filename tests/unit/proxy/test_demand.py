from __future__ import annotations

from tollgate.proxy.demand import Demand


def test_a_plain_demand_is_of_high_priority_and_may_be_served_anywhere() -> None:
    plain = Demand(alias="gpt-4o-mini")
    assert (plain.lane, plain.tokens, plain.kind) == ("high", 0, "whole")
    assert (plain.client_region, plain.backend) == (None, None)
