from __future__ import annotations

from random import Random

import pytest

from accountant.lines import PROVENANCES, UNCOUNTED, UnpricedLine, unpriced_order


def line(meter: str | None, provenance: str = "measured", group: str | None = "a") -> UnpricedLine:
    return UnpricedLine(
        group=(group,),
        meter=meter,
        provenance=provenance,
        quantity=1 if meter else None,
        unit="token" if meter else None,
        requests=1,
        rate_for={"model": "m", "region": None} if meter else None,
    )


def test_usage_that_is_not_known_stands_behind_the_meters_of_its_group() -> None:
    in_order = [
        line("input"),
        line("output"),
        line("images"),
        line(None, "pending"),
        line(None, "unknown"),
        line("input", group=None),
    ]
    shuffled = Random(1).sample(in_order, len(in_order))  # noqa: S311  repeatable
    assert sorted(shuffled, key=unpriced_order) == in_order


@pytest.mark.parametrize("provenance", sorted(UNCOUNTED))
def test_what_is_uncounted_is_a_provenance(provenance: str) -> None:
    assert provenance in PROVENANCES
