from __future__ import annotations

from datetime import date

from costing import cost_centre

from accountant.costs.cost_centres import CostCentres, cost_centre_clashes

MOVES = date(2026, 10, 16)


def test_a_team_that_moves_moves_on_its_date() -> None:
    centres = CostCentres(
        [
            cost_centre("4711", billing_code="a", effective_to=MOVES),
            cost_centre("4712", billing_code="a", effective_from=MOVES),
        ]
    )
    days = (date(2026, 9, 30), date(2026, 10, 15), MOVES)
    assert [centres.cost_centre("contoso", "a", day) for day in days] == [None, "4711", "4712"]


def test_a_row_without_a_code_is_for_the_rest_of_the_tenant() -> None:
    rows = [cost_centre("rest"), cost_centre("own", billing_code="a", effective_to=MOVES)]
    centres = CostCentres(rows)
    day = date(2026, 10, 1)
    assert centres.cost_centre("contoso", "a", day) == "own"
    assert centres.cost_centre("contoso", "a", MOVES) == "rest"
    assert centres.cost_centre("contoso", None, day) == "rest"
    assert centres.cost_centre("fabrikam", "a", day) is None


def test_two_centres_of_one_code_are_told() -> None:
    rows = [
        cost_centre("4711", billing_code="a", effective_to=MOVES),
        cost_centre("4712", billing_code="a", effective_from=date(2026, 10, 15)),
        cost_centre("4713"),
    ]
    (told,) = cost_centre_clashes(rows)
    assert "contoso/a has two cost centres from 2026-10-15" in told
