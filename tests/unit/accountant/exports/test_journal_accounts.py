from __future__ import annotations

from pathlib import Path

import pytest

from accountant.exports.journal import Accounts, CostCentre
from accountant.exports.journal_accounts import read_accounts
from tollgate.errors import SettingsError


def read(tmp_path: Path, text: str) -> Accounts:
    path = tmp_path / "accounts.toml"
    path.write_text(text)
    return read_accounts(path)


def refused(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(SettingsError) as found:
        read(tmp_path, text)
    return [each.removeprefix(f"{tmp_path / 'accounts.toml'}: ") for each in found.value.problems]


def test_what_is_not_said_has_its_name(tmp_path: Path) -> None:
    assert read(tmp_path, "") == Accounts()


def test_cost_centres_are_by_tenant_and_code(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        """
        expense = "6400"
        [[cost_centre]]
        tenant = "contoso"
        billing_code = "CC-1"
        cost_centre = "4711"
        expense = "6401"
        [[cost_centre]]
        tenant = "contoso"
        cost_centre = "4700"
        """,
    )
    assert found.cost_centres == {
        ("contoso", "CC-1"): CostCentre("4711", "6401"),
        ("contoso", None): CostCentre("4700", "6400"),
    }


def test_every_problem_is_told_with_its_row(tmp_path: Path) -> None:
    found = refused(tmp_path, 'expence = "1"\nclearing = 2990\n[[cost_centre]]\ntenant = "a"\n')
    assert [each.partition(":")[0] for each in found] == [
        "clearing",
        "cost_centre 1 cost_centre",
        "expence",
    ]


def test_two_rows_for_one_code_are_refused(tmp_path: Path) -> None:
    row = '[[cost_centre]]\ntenant = "a"\ncost_centre = "1"\n'
    assert refused(tmp_path, row * 2) == ["a, without a billing_code: has more than one row"]


def test_a_file_that_is_none_is_told(tmp_path: Path) -> None:
    assert refused(tmp_path, "expense = \n")[0].startswith("is not TOML: ")
    with pytest.raises(SettingsError, match="cannot be read: No such file"):
        read_accounts(tmp_path / "none.toml")
