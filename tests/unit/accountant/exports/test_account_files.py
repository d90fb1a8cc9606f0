from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from accountant.exports.account_files import read_accounts
from accountant.exports.accounts import Accounts, CostCentre
from tollgate.errors import SettingsError


def read(tmp_path: Path, text: str, centres: str | None = None) -> Accounts:
    """The accounts of a TOML file, and of a CSV file of cost centres."""
    files = {"accounts.toml": text, "centres.csv": centres}
    written = {tmp_path / name: each for name, each in files.items() if each is not None}
    for path, each in written.items():
        path.write_text(each)
    return read_accounts([*written])


def refused(tmp_path: Path, text: str, centres: str | None = None) -> list[str]:
    with pytest.raises(SettingsError) as found:
        read(tmp_path, text, centres)
    told = [each.replace(f"{tmp_path}/", "") for each in found.value.problems]
    return [each.removeprefix("accounts.toml: ") for each in told]


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
        ("contoso", "CC-1"): [CostCentre("4711", "6401")],
        ("contoso", None): [CostCentre("4700", "6400")],
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
    assert refused(tmp_path, row * 2) == [
        (
            "cost_centre 2: a, without a billing_code: has a cost centre on the same days in "
            "accounts.toml: cost_centre 1; a code that moves needs effective_to in the old row"
        )
    ]


def test_a_code_that_moves_has_two_dated_rows(tmp_path: Path) -> None:
    row = '[[cost_centre]]\ntenant = "a"\ncost_centre = '
    ends, begins = "\neffective_to = 2026-10-16\n", '\neffective_from = "2026-10-16"\n'
    found = read(tmp_path, f'{row}"1"{ends}{row}"2"{begins}')
    day = date(2026, 10, 16)
    assert found.cost_centres["a", None] == [
        CostCentre("1", "EXPENSE", effective_to=day),
        CostCentre("2", "EXPENSE", effective_from=day),
    ]


def test_cost_centres_can_stand_in_csv_files_beside_the_accounts(tmp_path: Path) -> None:
    rows = (
        "tenant;Billing_Code;cost_centre;effective_from\na;CC-1;4711;2026-10-16\n;;;\n'=b;;4700;\n"
    )
    assert read(tmp_path, 'expense = "6400"', rows).cost_centres == {
        ("a", "CC-1"): [CostCentre("4711", "6400", date(2026, 10, 16))],
        ("=b", None): [CostCentre("4700", "6400")],
    }


def test_every_problem_of_csv_is_told_with_its_line(tmp_path: Path) -> None:
    rows = [
        "tenant,billing_code,cost_centre,effective_from,effective_to",
        "a,CC-1,,2026-10-01,",
        "a,CC-1,4711,October,",
        "a,CC-1,4711,2026-10-16,2026-10-16",
        "a,CC-2,4711,,2026-10-17",
        "a,CC-2,4712,2026-10-16,",
        "a,CC-3,4713,,,,",
    ]
    assert refused(tmp_path, "", "\n".join(rows)) == [
        "centres.csv: line 2: cost_centre: Field required",
        "centres.csv: line 3: effective_from: write a day, such as 2026-10-01, without a time",
        (
            "centres.csv: line 4: effective_to: the first day without it must come after "
            "effective_from"
        ),
        "centres.csv: line 7: has 7 cells, the header 5",
        (
            "centres.csv: line 6: a, CC-2: has a cost centre on the same days in "
            "centres.csv: line 5; a code that moves needs effective_to in the old row"
        ),
    ]


def test_a_header_that_is_none_is_told_once(tmp_path: Path) -> None:
    known = "known are tenant, billing_code, cost_centre, expense, effective_from, effective_to"
    assert refused(tmp_path, "", "tenant,code\n1,2\n") == [
        f"centres.csv: line 1: 'code' is not a column; {known}",
        f"centres.csv: line 1: the column cost_centre is missing; {known}",
    ]


def test_one_file_says_the_accounts(tmp_path: Path) -> None:
    paths = [tmp_path / "a.toml", tmp_path / "b.toml"]
    for path in paths:
        path.touch()
    with pytest.raises(SettingsError, match="more cost centres go into"):
        read_accounts(paths)


def test_a_file_that_is_none_is_told(tmp_path: Path) -> None:
    assert refused(tmp_path, "expense = \n")[0].startswith("is not TOML: ")
    with pytest.raises(SettingsError, match="cannot be read: No such file"):
        read_accounts([tmp_path / "none.toml"])
    (tmp_path / "latin.csv").write_bytes(b"Geb\xfchr\n")
    with pytest.raises(SettingsError, match="cannot be read: it is not UTF-8"):
        read_accounts([tmp_path / "latin.csv"])
