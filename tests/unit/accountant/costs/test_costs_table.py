from __future__ import annotations

import json
from datetime import date
from typing import Any

from costing import cost_centre, fx, once, ptu, reassign, shared

from accountant.costs.cost_files import Costs
from accountant.costs.costs_table import costs_json, costs_table, rows_by_kind

COSTS = Costs(
    provisioned=(ptu(),),
    shared=(shared(method="fixed", shares={"a": "60", "b": "40"}),),
    credits=(once(),),
    reassignments=(reassign(tenant="contoso", without_code=True, to_tenant="b\u202ea"),),
    cost_centres=(cost_centre("4711"),),
    exchange=(fx("0.9"),),
    version="4711abc",
)


def test_a_table_has_the_columns_that_its_rows_speak_of() -> None:
    text = costs_table(COSTS)
    assert text.startswith("Costs 4711abc, books in the currency of the card\n")
    headings = [line.split()[0] for line in text.splitlines() if line and line[0].isalpha()]
    assert {"ptu", "shared", "credit", "reassign", "cost_centre", "fx"} <= {*headings}
    assert "a 60, b 40" in text
    assert "yes" in text
    assert "\u202e" not in text
    assert "billing code" not in text


def test_only_what_holds_on_a_day_is_shown() -> None:
    kinds = rows_by_kind(COSTS, date(2026, 10, 15))
    assert [*kinds] == ["ptu", "shared", "credit", "reassign", "cost_centre", "fx"]
    assert [*rows_by_kind(COSTS, date(2026, 10, 16))] == [
        "shared",
        "reassign",
        "cost_centre",
        "fx",
    ]


def test_json_has_amounts_as_text_and_the_names_of_the_file() -> None:
    found: dict[str, Any] = json.loads(costs_json(COSTS))
    assert (found["version"], found["currency"]) == ("4711abc", None)
    assert found["fx"] == [
        {
            "effective_from": "2026-10-01",
            "source": "decision 4711",
            "from": "USD",
            "to": "EUR",
            "rate": "0.9",
        }
    ]
