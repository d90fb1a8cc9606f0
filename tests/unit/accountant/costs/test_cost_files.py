from __future__ import annotations

from pathlib import Path

import pytest

from accountant.costs.cost_files import load_costs
from accountant.errors import CostsError

MISTAKES = """[books]
currency = "EUX"

[[ptu]]
name = "ptu"
deployment = "gpt-4o"
ptus = 0
price_per_ptu_hour = 1.00
currency = "USD"
effective_from = 2026-11-15
source = "contract"

[[shared]]
name = "gateway"
amount_per_month = "100.00"
currency = "EUR"
method = "fixed"
shares = {a = "60", b = "39"}
effective_from = 2026-01-01
source = "contract"

[[cost_centre]]
tenant = "contoso"
cost_centre = "4711"
effective_from = 2026-01-01
effective_to = 2025-01-01
colour = "blue"
"""
FX = """[[fx]]
from = "USD"
to = "EUR"
rate = "0.9"
effective_from = 2026-11-01
source = "ECB"
"""
HEADER = (
    "kind,from,to,rate,effective_from,effective_to,source,tenant,cost_centre,without_code,to_tenant"
)
CSV = f"""{HEADER}
fx,USD,EUR,0.9,2026-11-01,2026-11-02,ECB
fx,USD,EUR,0.91,2026-11-02,,ECB
cost_centre,,,,2026-01-01,,HR,contoso,4711
reassign,,,,2026-01-01,,HR,contoso,,yes,fabrikam
"""


def problems(*paths: Path) -> list[str]:
    with pytest.raises(CostsError) as caught:
        load_costs(*paths)
    folder = paths[0] if paths[0].is_dir() else paths[0].parent
    return [each.replace(str(folder), "…") for each in caught.value.problems]


def test_every_problem_is_told_with_its_row_and_line(tmp_path: Path) -> None:
    path = tmp_path / "costs.toml"
    path.write_text(MISTAKES)
    assert sorted(problems(path)) == [
        (
            "…/costs.toml: books 1 (line 2): currency: 'EUX' is no currency of ISO 4217;"
            ' write three letters, as "USD"'
        ),
        "…/costs.toml: cost_centre 1 (line 22): source: is missing",
        (
            "…/costs.toml: cost_centre 1 (line 26): effective_to: the first day without it"
            " must come after effective_from"
        ),
        "…/costs.toml: cost_centre 1 (line 27): colour: is not a key of a cost_centre",
        "…/costs.toml: ptu 1 (line 7): ptus: write more than 0",
        (
            "…/costs.toml: ptu 1 (line 8): price_per_ptu_hour: write the price as text,"
            ' such as "0.15": digits and at most one point'
        ),
        "…/costs.toml: shared 1 (line 13): row: the shares add up to 99, not to 100",
    ]


def test_contradictions_are_told_across_files(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(f'[books]\ncurrency = "EUR"\n{FX}')
    (tmp_path / "b.toml").write_text(f'[books]\ncurrency = "USD"\n{FX}')
    overlap, currency = problems(tmp_path)
    assert overlap.startswith("…/b.toml: fx 1 (line 3): overlaps …/a.toml: fx 1 (line 3): USD in")
    assert currency == (
        "…/b.toml: books 1 (line 1): currency: the books are in EUR by …/a.toml: books 1 (line 1)"
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "…/costs.toml: says nothing: there is no row"),
        ("[[tax]]", "unknown key tax: a file holds [[ptu]], [[shared]], [[credit]], [[charge]]"),
        ("fx = 1", "fx: write each row under [[fx]]"),
    ],
)
def test_a_file_holds_rows_of_its_kinds(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "costs.toml"
    path.write_text(text)
    (problem,) = problems(path)
    assert told in problem


def test_rows_stand_in_csv_with_their_kind(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(CSV)
    found = load_costs(tmp_path)
    assert [str(row.rate) for row in found.exchange] == ["0.9", "0.91"]
    assert [row.cost_centre for row in found.cost_centres] == ["4711"]
    assert [(row.without_code, row.to_tenant) for row in found.reassignments] == [
        (True, "fabrikam")
    ]
    assert found.currency is None


def test_a_row_of_csv_needs_a_known_kind_and_all_that_its_kind_needs(tmp_path: Path) -> None:
    lines = ["kind,tenant,effective_from", "cost_centre,contoso,2026-01-01", "tax,x,2026-01-01"]
    (tmp_path / "rows.csv").write_text("\n".join(lines))
    assert problems(tmp_path) == [
        (
            "…/rows.csv: row 2 (line 3): kind: write ptu, shared, credit, charge, reassign,"
            " cost_centre or fx"
        ),
        "…/rows.csv: row 1 (line 2): source: is missing",
        "…/rows.csv: row 1 (line 2): cost_centre: is missing",
    ]


def test_the_version_is_of_what_rows_say_wherever_they_stand(tmp_path: Path) -> None:
    one, other, changed = (tmp_path / name for name in ("a.toml", "b.toml", "c.toml"))
    one.write_text(FX)
    other.write_text(f"# moved\n\n{FX}")
    changed.write_text(FX.replace("0.9", "0.91"))
    versions = [load_costs(path).version for path in (one, other, changed)]
    assert versions[0] == versions[1] != versions[2]
