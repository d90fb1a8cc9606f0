from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from accounting import DAY, sku

from accountant.errors import RateCardError
from accountant.rate_cards.rate_files import SHIPPED_RATES, load_rate_card

ROW = {
    "model": '"gpt-4o-mini"',
    "meter": '"input"',
    "price": '"0.15"',
    "per": "1000000",
    "currency": '"USD"',
    "effective_from": "2026-01-01",
    "source": '"https://prices.example"',
    "checked_on": "2026-11-21",
}


def row(**changes: str | None) -> str:
    members = {**ROW, **changes}
    lines = [f"{key} = {value}" for key, value in members.items() if value is not None]
    return "\n".join(["[[rate]]", *lines, ""])


def write(folder: Path, text: str, name: str = "card.toml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def problems_of(path: Path) -> list[str]:
    with pytest.raises(RateCardError) as caught:
        load_rate_card(path)
    return [problem.replace(str(path.parent), "…") for problem in caught.value.problems]


def test_a_price_keeps_its_digits(tmp_path: Path) -> None:
    found = load_rate_card(write(tmp_path, row())).rate_for(sku(), "input", DAY)
    assert found is not None
    assert (found.unit_price, found.per, found.currency) == (Decimal("0.15"), 10**6, "USD")
    assert (found.effective_from, found.source) == (date(2026, 1, 1), "https://prices.example")


def test_a_directory_is_one_card(tmp_path: Path) -> None:
    write(tmp_path, row(), "a.toml")
    write(tmp_path, row(meter='"images:1024x1024:hd"', per="1"), "b.toml")
    card = load_rate_card(tmp_path)
    assert card.rate_for(sku(), "input", DAY)
    assert card.rate_for(sku(), "images:1024x1024:hd", DAY)


def test_overlaps_between_files_are_found(tmp_path: Path) -> None:
    write(tmp_path, row(), "a.toml")
    write(tmp_path, row(), "b.toml")
    with pytest.raises(RateCardError, match=r"b\.toml: row 1 \(line 1\): overlaps .*a\.toml"):
        load_rate_card(tmp_path)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"price": "0.15"}, "price: write the price as text"),
        ({"price": "1"}, "price: write the price as text"),
        ({"price": '"1e-6"'}, "price: write the price as text"),
        ({"price": '"-1"'}, "price: a price is not negative"),
        ({"per": "1500"}, "per: write a power of ten"),
        ({"per": "-10"}, "per: write a power of ten"),
        ({"per": '"1000"'}, "per: write a whole number"),
        ({"meter": '"tokens"'}, "meter: 'tokens' is not a meter; known are input, "),
        ({"meter": '"images:"'}, "meter: 'images:' is not a meter"),
        ({"meter": '"reasoning_output"'}, "meter: reasoning is priced as output"),
        ({"currency": '"usd"'}, "currency: 'usd' is no currency of ISO 4217; write three letters"),
        ({"currency": '"USX"'}, "currency: 'USX' is no currency of ISO 4217"),
        ({"draft": '"yes"'}, "draft: write true, or leave it out"),
        ({"model": "1"}, "model: write it as text"),
        ({"region": f'"{"x" * 257}"'}, "region: is longer than 256 characters"),
        ({"effective_from": '"soon"'}, "effective_from: write a day, such as 2026-10-01"),
        ({"effective_from": "2026-01-01T12:00:00Z"}, "effective_from: write a day"),
        ({"effective_to": "2026-01-01"}, "effective_to: the first day without it must come"),
        ({"scope": '"everywhere"'}, "scope: write 'regional', 'data_zone' or 'global'"),
        ({"prompt_band": '"0-1"'}, "prompt_band: '0-1' is not a prompt band; known are 0-32000"),
        ({"modell": '"x"'}, "modell: is not a key of a rate"),
        ({"source": None}, "source: is missing"),
        ({"model": '""'}, "model: is empty"),
    ],
)
def test_a_bad_row_is_refused_with_its_place(
    tmp_path: Path, changes: dict[str, str | None], problem: str
) -> None:
    text = f"# prices\n{row(**changes)}"
    (key,) = changes
    lines = (number for number, line in enumerate(text.splitlines(), 1) if line.startswith(key))
    (found,) = problems_of(write(tmp_path, text))
    assert found.startswith(f"…/card.toml: row 1 (line {next(lines, 2)}): {problem}")


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    bad = row(price="0.1", per="7") + row(meter='"output"') + row() + row()
    places = [problem.partition(": ")[2][:20] for problem in problems_of(write(tmp_path, bad))]
    assert places == [
        "row 1 (line 4): pric",
        "row 1 (line 5): per:",
        "row 4 (line 28): ove",
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("rate = 1", "rate: write each row under [[rate]]"),
        ("rates = []", "unknown key rates: a file holds [[rate]], [[discount]], [[markup]] rows"),
        ("rate = [1]", "row: write each row under [[rate]]"),
        ("[[rate", "Expected"),
        (f"a={'[' * 3000}", "is nested too deeply"),
        ("", "there is no rate"),
    ],
)
def test_a_file_that_is_no_card_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    (found,) = problems_of(write(tmp_path, text))
    assert problem in found


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert problems_of(tmp_path / "no.toml") == [
        "…/no.toml: cannot be read: No such file or directory"
    ]


def test_a_directory_without_cards_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RateCardError, match=r"there is no \.toml or \.csv file in it"):
        load_rate_card(tmp_path)


def test_rows_are_numbered_where_the_text_misleads(tmp_path: Path) -> None:
    text = row(source='"""\n[[rate]]\n"""', price="1")
    (found,) = problems_of(write(tmp_path, text))
    assert found.startswith("…/card.toml: row 1: price: ")


def test_a_gap_between_two_prices_of_the_same_usage_is_found(tmp_path: Path) -> None:
    old = row(effective_to="2026-03-01")
    (found,) = problems_of(write(tmp_path, old + row(effective_from="2026-04-01")))
    assert found == (
        "…/card.toml: row 2 (line 11): leaves a gap after "
        f"{tmp_path}/card.toml: row 1 (line 1): nothing prices input of gpt-4o-mini "
        "from 2026-03-01 until 2026-04-01; move effective_to, or add the row between"
    ).replace(str(tmp_path), "…")


def test_a_wider_row_fills_a_gap(tmp_path: Path) -> None:
    promotion = {"region": '"westeurope"', "price": '"0.10"'}
    rows = (
        row(),
        row(**promotion, effective_to="2026-03-01"),
        row(**promotion, effective_from="2026-05-01"),
    )
    assert load_rate_card(write(tmp_path, "".join(rows)))


def test_a_wider_row_that_ends_fills_a_gap_only_until_then(tmp_path: Path) -> None:
    promotion = {"region": '"westeurope"', "price": '"0.10"'}
    rows = (
        row(effective_to="2026-04-01"),
        row(**promotion, effective_to="2026-03-01"),
        row(**promotion, effective_from="2026-05-01"),
    )
    (found,) = problems_of(write(tmp_path, "".join(rows)))
    assert "from 2026-04-01 until 2026-05-01" in found


def test_a_draft_prices_nothing_until_its_mark_is_removed(tmp_path: Path) -> None:
    path = write(tmp_path, row(draft="true") + row(meter='"output"'))
    card = load_rate_card(path)
    assert card.rate_for(sku(), "input", DAY) is None
    write(tmp_path, row(draft="false"))
    assert load_rate_card(path).rate_for(sku(), "input", DAY)


def test_a_card_of_drafts_alone_says_what_to_do(tmp_path: Path) -> None:
    (found,) = problems_of(write(tmp_path, row(draft="true")))
    assert found.startswith("there is no rate yet: all 1 rows are drafts; remove `draft` from")


def test_a_file_too_large_to_be_a_card_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "card.toml"
    with path.open("wb") as file:
        file.truncate(64_000_001)
    assert problems_of(path) == ["…/card.toml: is larger than 64 MB, so it holds no rows"]


@pytest.mark.parametrize(
    ("model", "version", "meters"),
    [
        ("gpt-4o-mini", "2024-07-18", {"input": "0.15", "cached_input": "0.075", "output": "0.6"}),
        ("gpt-4o", "2024-11-20", {"input": "2.5", "cached_input": "1.25", "output": "10"}),
        ("text-embedding-3-small", "1", {"input": "0.02"}),
    ],
)
def test_the_shipped_card_prices_the_usual_models(
    model: str, version: str, meters: dict[str, str]
) -> None:
    shipped = load_rate_card(SHIPPED_RATES)
    for meter, price in meters.items():
        found = shipped.rate_for(
            sku(model=model, model_version=version, scope="global"), meter, DAY
        )
        assert found is not None
        assert (found.unit_price, found.per) == (Decimal(price), 1_000_000)


@pytest.mark.parametrize(
    "other",
    [{"service_tier": "priority"}, {"deployment_type": "provisioned"}, {"scope": "regional"}],
)
def test_the_shipped_card_prices_nothing_that_it_has_no_list_price_of(
    other: dict[str, str],
) -> None:
    shipped = load_rate_card(SHIPPED_RATES)
    assert shipped.rate_for(sku(**{"scope": "global", **other}), "input", DAY) is None
