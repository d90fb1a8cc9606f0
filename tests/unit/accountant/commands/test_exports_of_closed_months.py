from __future__ import annotations

import csv
import json

from accounting import apply_on_redis
from closing_desk import Desk, on
from focus_rules import broken_rules

pytest_plugins = ["servers", "closing_desk"]


def focus(desk: Desk, month: str) -> list[dict[str, str]]:
    text = desk.read("focus", month, "--version", "1.2").stdout
    return list(csv.DictReader(text.splitlines()))


def test_focus_has_the_numbers_of_the_statements_once_the_month_is_closed(desk: Desk) -> None:
    assert {row["InvoiceId"] for row in focus(desk, "2024-10")} == {""}
    desk.close("2024-10")
    rows = focus(desk, "2024-10")
    assert {(row["x_Tenant"], row["InvoiceId"], row["x_Status"]) for row in rows} == {
        ("contoso", "2024-000001", "closed"),
        ("fabrikam", "2024-000002", "closed"),
    }


def test_a_correction_names_the_line_that_it_corrects_in_focus_and_in_the_journal(
    desk: Desk,
) -> None:
    desk.close("2024-10")
    apply_on_redis(desk.url, [on("2024-10-15", "late")])
    desk.close("2024-11")
    rows = focus(desk, "2024-11")
    assert [rule for row in rows for rule in broken_rules(row)] == []
    (late,) = [row for row in rows if row["ChargeClass"]]
    names = ("CorrectedPeriod", "CorrectedInvoiceId", "CorrectedLine", "CorrectionReason")
    assert [late[f"x_{name}"] for name in names] == ["2024-10", "2024-000001", "1.0", "usage"]
    told = json.loads(desk.read("journal", "2024-11", "--format", "json").stdout)
    batch = told["batches"][1]
    assert batch["batch"] == "2024-11 USD corrections"
    assert (batch["debit"], batch["credit"]) == ("0.15", "0.15")
    posting = batch["postings"][0]
    assert posting["reference"] == late["InvoiceId"]
    assert posting["corrects"] == {"month": "2024-10", "statement": "2024-000001", "line": 1}
