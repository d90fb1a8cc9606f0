from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from accountant.planning.budget_files import read_budgets
from tollgate.errors import SettingsError


def problems_of(path: Path) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        read_budgets(path)
    return [each.replace(str(path.parent), "…") for each in caught.value.problems]


AMOUNT = 'amount: must be a whole number, or a decimal number in quotes such as "500.00"'
CURRENCY = 'is no currency of ISO 4217; write three letters, as "USD"'
ALERTS = "alert_at: write parts of the budget above 0 and up to 10, such as 0.5 0.8 1"


def written(tmp_path: Path, name: str, text: str) -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


def test_toml_and_csv_say_the_same(tmp_path: Path) -> None:
    toml = written(
        tmp_path,
        "b.toml",
        '[[budget]]\ntenant = "a"\namount = "500.00"\ncurrency = "USD"\nalert_at = [0.5, 1]\n'
        '[[budget]]\ntenant = "b"\namount = 7\ncurrency = "USD"\n',
    )
    table = written(
        tmp_path,
        "b.csv",
        "tenant,amount,currency,alert_at\na,500.00,USD,0.5 1\nb,7,USD,\n",
    )
    for path in (toml, table):
        found = read_budgets(path)
        assert [(each.tenant, each.amount) for each in found] == [
            ("a", Decimal(500)),
            ("b", Decimal(7)),
        ]
        assert found[0].alert_at == (Decimal("0.5"), Decimal(1))
        assert found[1].alert_at == (Decimal("0.5"), Decimal("0.8"), Decimal(1))


def test_every_mistake_of_toml_is_told_with_its_line(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "b.toml",
        '[[budget]]\ntenant = "a"\namount = 1.5\ncurrency = "DOLLAR"\nalert_at = ["high"]\n'
        '[[budget]]\namount = "1"\ncurrency = "USD"\nowner = "x"\n'
        '[[budget]]\ntenant = "c"\namount = "1"\ncurrency = "USD"\n'
        '[[budget]]\ntenant = "c"\namount = "2"\ncurrency = "USD"\n',
    )
    assert problems_of(path) == [
        f"…/b.toml: budget 1 (line 3): {AMOUNT}",
        f"…/b.toml: budget 1 (line 4): currency: 'DOLLAR' {CURRENCY}",
        f"…/b.toml: budget 1 (line 5): {ALERTS}",
        "…/b.toml: budget 2 (line 6): tenant: is missing",
        "…/b.toml: budget 2 (line 9): owner: is not a key of a budget",
        "…/b.toml: budget 4 (line 14): 'c' has a budget at …/b.toml: budget 3 (line 10)",
    ]


def test_every_mistake_of_csv_is_told_with_its_line(tmp_path: Path) -> None:
    path = written(
        tmp_path, "b.csv", "tenant,amount,currency,percent\na,-1,USD,5\nb,1,usd,\nb,1,USD,\n"
    )
    assert problems_of(path) == [
        "…/b.csv: line 1: 'percent' is not a column; known are tenant, amount, currency, alert_at",
        f"…/b.csv: row 1 (line 2): {AMOUNT}",
        f"…/b.csv: row 2 (line 3): currency: 'usd' {CURRENCY}",
    ]


@pytest.mark.parametrize("alerts", ["0", "11", "0.5,1", "x"])
def test_thresholds_are_parts_of_the_budget(tmp_path: Path, alerts: str) -> None:
    path = written(tmp_path, "b.csv", f'tenant,amount,currency,alert_at\na,1,USD,"{alerts}"\n')
    assert "alert_at: write parts of the budget above 0" in problems_of(path)[0]


def test_a_file_without_budgets_or_no_file_is_told(tmp_path: Path) -> None:
    path = written(tmp_path, "b.csv", "tenant,amount,currency\n")
    assert problems_of(path) == ["…/b.csv: there is no budget; write one under [[budget]]"]
    assert problems_of(tmp_path / "c.csv") == ["…/c.csv: cannot be read: No such file or directory"]
