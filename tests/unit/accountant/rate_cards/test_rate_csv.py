from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from accounting import DAY, sku

from accountant.errors import RateCardError
from accountant.rate_cards.rate_files import load_rate_card

HEADER = "model,meter,price,per,currency,effective_from,source,checked_on"
ROW = "gpt-4o-mini,input,0.15,1000000,USD,2026-01-01,https://prices.example,2026-11-21"


def write(folder: Path, *lines: str) -> Path:
    path = folder / "card.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def problems_of(path: Path) -> list[str]:
    with pytest.raises(RateCardError) as caught:
        load_rate_card(path)
    return [problem.replace(str(path.parent), "…") for problem in caught.value.problems]


@pytest.mark.parametrize(
    "lines",
    [
        (HEADER, ROW),
        (HEADER + ",region", ROW + ","),
        ("\ufeff" + HEADER.replace(",", ";"), ROW.replace(",", ";"), ";;;;;;;"),
        (HEADER.upper(), "", ROW),
    ],
)
def test_a_row_is_a_rate(tmp_path: Path, lines: tuple[str, ...]) -> None:
    found = load_rate_card(write(tmp_path, *lines)).rate_for(sku(), "input", DAY)
    assert found is not None
    assert (found.unit_price, found.per, found.region) == (Decimal("0.15"), 10**6, None)


def test_a_name_that_was_escaped_for_spreadsheets_comes_back(tmp_path: Path) -> None:
    card = load_rate_card(write(tmp_path, HEADER, ROW.replace("gpt-4o-mini", "'=m")))
    assert card.rate_for(sku(model="=m"), "input", DAY)


def test_a_draft_is_marked_in_its_column(tmp_path: Path) -> None:
    card = load_rate_card(write(tmp_path, HEADER + ",draft", ROW + ",", ROW + ",Yes"))
    assert card.rate_for(sku(), "input", DAY)


def test_every_problem_is_told_with_its_line(tmp_path: Path) -> None:
    lines = (
        HEADER + ",region,colour,region",
        ROW.replace("0.15", "1e-7"),
        ROW.replace("https://prices.example", '"two\nlines"').replace("USD", "usd"),
        ROW.replace("1000000", '"1,000"'),
        ROW.replace("input", "tokens").replace("2026-01-01", "1.1.2026"),
    )
    found = problems_of(write(tmp_path, *lines))
    assert [problem.removeprefix("…/card.csv: ")[:43] for problem in found] == [
        "line 1: 'region' is there 2 times",
        "line 1: 'colour' is not a column; known are",
        "row 1 (line 2): price: write the price as t",
        "row 2 (line 3): currency: 'usd' is no curre",
        "row 3 (line 5): per: write a whole number",
        "row 4 (line 6): effective_from: write a day",
        "row 4 (line 6): meter: 'tokens' is not a me",
    ]


def test_a_comma_in_a_price_is_told_from_a_cell_too_many(tmp_path: Path) -> None:
    (found,) = problems_of(write(tmp_path, HEADER, ROW.replace("0.15", "0,15")))
    assert found.startswith("…/card.csv: row 1 (line 2): has 9 cells, the header 8; put a cell")


def test_a_column_that_is_missing_is_told_once(tmp_path: Path) -> None:
    header, row = HEADER.removesuffix(",checked_on"), ROW.removesuffix(",2026-11-21")
    assert problems_of(write(tmp_path, header, row, row.replace("input", "output"))) == [
        "…/card.csv: line 1: the column checked_on is missing"
    ]


def test_a_quote_that_never_ends_is_one_problem(tmp_path: Path) -> None:
    (found,) = problems_of(write(tmp_path, HEADER, '"' + ROW))
    assert found.startswith("…/card.csv: ")


def test_an_empty_file_lacks_every_column(tmp_path: Path) -> None:
    assert "…/card.csv: line 1: the column model is missing" in problems_of(write(tmp_path))
