from __future__ import annotations

import csv
import json

import pytest
from accounting import apply_on_redis
from closed_months import write_rates
from closing_desk import UNREACHABLE, Desk, on
from reconciling import csv_text, meter_row

from tollgate.usage.tokens import Tokens

pytest_plugins = ["servers", "closing_desk"]

FX = """
[[fx]]
from = "EUR"
to = "USD"
rate = "1.10"
effective_from = 2024-01-01
source = "central bank"
"""

REASSIGN = """
[[reassign]]
tenant = "fabrikam"
to_tenant = "newco"
effective_from = 2024-10-01
source = "decision"
"""


def test_a_closed_month_is_read_without_a_ledger_and_never_changes(desk: Desk) -> None:
    desk.close("2024-10")
    documents = (("report", "--format", "csv"), ("focus",), ("journal",))
    before = [desk.read(name, "2024-10", *more).stdout for name, *more in documents]
    apply_on_redis(desk.url, [on("2024-10-17", "late")])
    write_rates(desk.rates, "9")
    after = [
        desk.run(name, "2024-10", "--rates", "nowhere", *more, url=UNREACHABLE)
        for name, *more in documents
    ]
    assert [result.stdout for result in after] == before
    assert [result.exit_code for result in after] == [0, 0, 0]
    assert all(before)
    out = desk.folder / "out"
    assert desk.run("export", "2024-10", "--out", str(out), url="").exit_code == 0


def test_a_report_says_that_its_month_is_closed_and_then_that_it_is_restated(desk: Desk) -> None:
    assert "2024-10 (UTC), draft" in desk.read("report", "2024-10").stdout
    desk.close("2024-10")
    assert "2024-10 (UTC), closed" in desk.read("report", "2024-10").stdout
    apply_on_redis(desk.url, [on("2024-10-17", "late")])
    result = desk.close("2024-11")
    assert "it corrects 2024-10\n" in result.stdout
    found = json.loads(desk.read("report", "2024-10", "--format", "json").stdout)
    assert (found["status"], found["total"]) == ("restated", "0.30")


def test_late_usage_is_on_the_open_months_statement_as_a_correction(desk: Desk) -> None:
    desk.close("2024-10")
    apply_on_redis(desk.url, [on("2024-10-17", "late")])
    total = json.loads(desk.read("report", "2024-11", "--format", "json").stdout)["total"]
    assert total == "0.30"
    rows = list(csv.DictReader(desk.read("focus", "2024-11").stdout.splitlines()))
    [row] = [row for row in rows if row["ChargeClass"] == "Correction"]
    assert row["ChargePeriodStart"] == "2024-10-17T00:00:00Z"
    assert row["BillingPeriodStart"] == "2024-11-01T00:00:00Z"
    later = desk.read("report", "2024-12")
    assert "they stand on the statements of 2024-11, the first month that is open" in later.stderr


def test_only_a_tenants_corrections_are_on_its_statement(desk: Desk) -> None:
    desk.close("2024-10")
    apply_on_redis(desk.url, [on("2024-10-17", "late", tenant="fabrikam")])
    totals = [
        json.loads(desk.read("report", "2024-11", "--format", "json", "--tenant", tenant).stdout)[
            "total"
        ]
        for tenant in ("contoso", "fabrikam")
    ]
    assert totals == ["0.15", "0.15"]


def test_what_caching_saved_in_a_closed_month_is_told_by_the_prices_it_was_closed_with(
    desk: Desk,
) -> None:
    cached = Tokens(input=2_000_000, cached_input=1_000_000, output=0)
    apply_on_redis(desk.url, [on("2024-10-20", "4", tokens=cached)])
    arguments = ("economics", "2024-10", "--format", "json")
    draft = json.loads(desk.read(*arguments).stdout)["groups"]
    desk.close("2024-10")
    write_rates(desk.rates, "9")
    result = desk.read(*arguments)
    assert result.exit_code == 0
    assert json.loads(result.stdout)["groups"] == draft


def test_months_of_different_currencies_do_not_compare(desk: Desk) -> None:
    apply_on_redis(desk.url, [on("2024-12-15", "5")])
    costs = desk.folder / "costs.toml"
    costs.write_text(EXCHANGE)
    assert desk.close("2024-10", "--costs", str(costs), "--currency", "EUR").exit_code == 0
    result = desk.run("compare", "2024-10", "2024-12", "--rates", str(desk.rates))
    assert (result.exit_code, result.stdout) == (2, "")
    assert "2024-10 is in EUR, 2024-12 is in USD" in result.stderr


def test_a_closed_month_is_reconciled_as_the_ledger_has_it_with_what_came_late(desk: Desk) -> None:
    """Else a true-up would bill what the corrections of the open month bill already."""
    desk.close("2024-10")
    apply_on_redis(desk.url, [on("2024-10-17", "late")])
    days = ("10/15/2024", "10/16/2024", "10/17/2024")
    invoice = desk.folder / "invoice.csv"
    invoice.write_text(csv_text(meter_row("input", 1_000_000, "0.15", Date=day) for day in days))
    result = desk.read("reconcile", "2024-10", "--invoice", str(invoice))
    assert (result.exit_code, "All 3 lines agree." in result.stdout) == (0, True)


def test_a_closed_month_of_one_tenant(desk: Desk) -> None:
    desk.close("2024-10")
    result = desk.read("report", "2024-10", "--tenant", "contoso", "--format", "json", url="")
    assert json.loads(result.stdout)["total"] == "0.15"
    result = desk.read("report", "2024-10", "--tenant", "contso", url="")
    assert (result.exit_code, result.stderr) == (
        1,
        "accountant: no statement of 'contso' in 2024-10, which is closed\n",
    )


def test_by_user_a_closed_month_is_read_from_the_ledger_and_says_whether_it_agrees(
    desk: Desk,
) -> None:
    desk.close("2024-10")
    result = desk.read("report", "2024-10", "--by", "user", "--format", "json")
    assert json.loads(result.stdout)["status"] == "closed"
    assert "by user it is read from the ledger as it is now, and adds up" in result.stderr
    apply_on_redis(desk.url, [on("2024-10-17", "late")])
    result = desk.read("report", "2024-10", "--by", "user", "--format", "json")
    assert json.loads(result.stdout)["status"] == "draft"
    assert "contoso: 0.30 by user, 0.15 as closed\n" in result.stderr


def test_books_that_were_tampered_with_are_told_by_every_command(desk: Desk) -> None:
    desk.close("2024-10")
    [path] = desk.books.glob("*.gz")
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    for command in (("report", "2024-10"), ("status",), ("journal", "2024-10")):
        result = desk.run(*command)
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr == (
            f"accountant: {path}: was changed after the close; restore it from a copy\n"
        )
    path.unlink()
    result = desk.close("2024-11")
    assert result.exit_code == 2
    assert "is missing: it holds the charges of a closed month" in result.stderr


def test_books_that_are_not_there_yet_are_said(desk: Desk) -> None:
    result = desk.read("report", "2024-10")
    assert result.exit_code == 0
    assert result.stderr == (
        f"accountant: there are no books at {desk.books} yet, so no month is closed\n"
    )


EXCHANGE = """
[[fx]]
from = "USD"
to = "EUR"
rate = "0.5"
effective_from = 2024-01-01
source = "decision 4711"
"""
COSTS = """
[[shared]]
name = "gateway"
amount_per_month = "10.00"
currency = "USD"
method = "even"
effective_from = 2024-01-01
source = "decision 4711"

[[cost_centre]]
tenant = "contoso"
cost_centre = "4711"
effective_from = 2024-01-01
source = "decision 4711"
"""


def test_fixed_costs_and_where_they_are_posted_are_closed_too(desk: Desk) -> None:
    costs = desk.folder / "costs.toml"
    costs.write_text(COSTS)
    drafted = desk.read("journal", "2024-10", "--costs", str(costs)).stdout
    assert ",4711," in drafted
    assert desk.close("2024-10", "--costs", str(costs)).exit_code == 0
    closed = desk.run("journal", "2024-10", url="").stdout
    assert ",4711," in closed
    costs.write_text(COSTS.replace("10.00", "20.00").replace("4711", "0815"))
    assert desk.run("journal", "2024-10", "--costs", str(costs), url="").stdout == closed
    rows = list(
        csv.DictReader(desk.read("focus", "2024-11", "--costs", str(costs)).stdout.splitlines())
    )
    corrections = [row["BilledCost"] for row in rows if row["ChargeClass"] == "Correction"]
    assert corrections == ["5.0", "5.0"]


def test_a_closed_month_by_user_has_its_fixed_costs_once(desk: Desk) -> None:
    costs = desk.folder / "costs.toml"
    costs.write_text(COSTS)
    desk.close("2024-10", "--costs", str(costs))
    arguments = ("--costs", str(costs), "--by", "user", "--format", "json")
    found = json.loads(desk.read("report", "2024-10", *arguments).stdout)
    assert (found["status"], found["total"]) == ("closed", "10.30")


def test_a_closed_statement_has_its_number_its_digest_and_its_waivers(desk: Desk) -> None:
    apply_on_redis(desk.url, [on("2024-10-20", "4", model="gpt-9")])
    waivers = desk.folder / "waivers.toml"
    refused = desk.close("2024-10").stdout
    waivers.write_text(refused.replace('reason = ""', 'reason = "free by contract"'))
    closed = desk.close("2024-10", "--waivers", str(waivers))
    digest = closed.stdout.split()[-1]
    arguments = ("report", "2024-10", "--tenant", "contoso", "--format", "html")
    text = desk.run(*arguments, url="").stdout
    assert "2024-000001" in text
    assert digest in text
    assert "free by contract" in text
    other = desk.run(*arguments[:3], "fabrikam", *arguments[4:], url="").stdout
    assert "2024-000002" in other
    assert "free by contract" not in other


@pytest.mark.parametrize("layout", ["table", "csv", "json", "html", "md"])
def test_a_statement_says_the_same_alone_and_among_all_and_no_others_waivers(
    layout: str, desk: Desk
) -> None:
    apply_on_redis(desk.url, [on("2024-10-20", "4", model="gpt-9")])
    waivers = desk.folder / "waivers.toml"
    refused = desk.close("2024-10").stdout
    waivers.write_text(refused.replace('reason = ""', 'reason = "free by contract"'))
    desk.close("2024-10", "--waivers", str(waivers))
    arguments = ("report", "2024-10", "--format", layout, "--out")
    desk.run(*arguments, str(desk.folder / "all"), url="")
    desk.run(*arguments, str(desk.folder / "one"), "--tenant", "fabrikam", url="")
    [alone] = (desk.folder / "one").iterdir()
    assert "free by contract" not in alone.read_text()
    assert (desk.folder / "all" / alone.name).read_bytes() == alone.read_bytes()


def test_a_draft_statement_has_the_corrections_of_the_closed_month(desk: Desk) -> None:
    desk.close("2024-10")
    apply_on_redis(desk.url, [on("2024-10-17", "late")])
    text = desk.read("report", "2024-11", "--tenant", "contoso", "--format", "md").stdout
    assert "Correction of 2024-10: gpt-4o-mini input tokens" in text
    assert "2024-000001" in text


def test_unit_economics_of_a_closed_month_are_those_of_its_draft(desk: Desk) -> None:
    cached = Tokens(input=1_000_000, cached_input=500_000, output=0)
    apply_on_redis(desk.url, [on("2024-10-17", "cached", tokens=cached)])
    drafted = desk.read("economics", "2024-10", "--format", "json")
    desk.close("2024-10")
    found = desk.read("economics", "2024-10", "--format", "json")
    assert (found.exit_code, found.stdout) == (0, drafted.stdout)


def test_a_tenant_that_is_only_corrected_has_a_statement(desk: Desk) -> None:
    costs = desk.folder / "costs.toml"
    costs.write_text(FX + REASSIGN)
    desk.close("2024-10", "--costs", str(costs))
    costs.write_text(FX)
    given = ("--costs", str(costs), "--tenant", "newco", "--format", "json")
    assert json.loads(desk.read("report", "2024-11", *given).stdout)["total"] == "-0.15"
    assert "no usage in 2024-12 by" in desk.read("report", "2024-12", *given).stderr
