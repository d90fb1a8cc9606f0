from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from accounting import DAY, sku

from accountant.errors import RateCardError
from accountant.rate_cards.rate_files import load_rate_card

RATES = """
[[rate]]
model = "gpt-4o-mini"
meter = "input"
price = "0.15"
per = 1000000
currency = "USD"
effective_from = 2026-01-01
source = "https://prices.example"
checked_on = 2026-11-21
"""
RULE = """
name = "EA 2026"
percent = "12.5"
tenant = "contoso"
effective_from = 2026-01-01
source = "agreement 4711"
"""
CSV = """kind,name,percent,tenant,effective_from,source
discount,EA 2026,12.5,contoso,2026-01-01,agreement 4711
markup,platform,3,,2026-01-01,decision of 2026-01-05
"""


@pytest.fixture
def rates(tmp_path: Path) -> Path:
    (tmp_path / "rates.toml").write_text(RATES)
    return tmp_path


def percents(path: Path) -> dict[str, Decimal]:
    found = load_rate_card(path).rules.adjustments("contoso", sku(), "input", DAY)
    return {each.name: each.percent for each in found}


def problems(path: Path) -> list[str]:
    with pytest.raises(RateCardError) as caught:
        load_rate_card(path)
    return [problem.replace(str(path), "…") for problem in caught.value.problems]


def test_rules_stand_in_a_file_beside_the_rates(rates: Path) -> None:
    (rates / "rules.toml").write_text(f"[[discount]]{RULE}")
    assert percents(rates) == {"EA 2026": Decimal("12.5")}


def test_rules_stand_in_a_csv_file_with_per_cents(rates: Path) -> None:
    (rates / "rules.csv").write_text(CSV)
    assert percents(rates) == {"EA 2026": Decimal("12.5"), "platform": Decimal(3)}


def test_a_csv_row_of_no_kind_is_told(rates: Path) -> None:
    (rates / "rules.csv").write_text(CSV.replace("markup", "rebate"))
    assert problems(rates) == ["…/rules.csv: row 2 (line 3): kind: write discount or markup"]


@pytest.mark.parametrize(
    ("percent", "problem"),
    [
        ("12.5", "write per cent as text"),
        ('"-1"', "write per cent as text"),
        ('"0.00"', "write more than 0 and at most 1000"),
        ('"1001"', "write more than 0 and at most 1000"),
        ('"100.1"', "a discount is at most 100"),
    ],
)
def test_a_bad_percentage_is_told_with_its_line(rates: Path, percent: str, problem: str) -> None:
    (rates / "rules.toml").write_text(f"[[discount]]{RULE}".replace('"12.5"', percent))
    (found,) = problems(rates)
    assert found.startswith(f"…/rules.toml: discount 1 (line 3): percent: {problem}")


def test_a_key_that_no_discount_has_is_told(rates: Path) -> None:
    (rates / "rules.toml").write_text(f"[[discount]]{RULE}price = 1\n")
    assert problems(rates) == [
        "…/rules.toml: discount 1 (line 7): price: is not a key of a discount"
    ]


def test_rules_without_a_rate_are_no_card(rates: Path) -> None:
    (rates / "rates.toml").write_text(f"[[markup]]{RULE}")
    assert problems(rates) == ["there is no rate: a card needs at least one [[rate]]"]
