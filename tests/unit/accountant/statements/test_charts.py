from __future__ import annotations

from decimal import Decimal
from xml.etree import ElementTree as ET

import pytest
from stating import HOSTILE

from accountant.statements.charts import chart_svg
from accountant.statements.document import Bar, Chart


def drawn(*amounts: str, upright: bool = False, label: str = "") -> ET.Element:
    bars = [Bar(label or str(at), Decimal(amount)) for at, amount in enumerate(amounts)]
    return ET.fromstring(chart_svg(Chart(title="T", bars=bars, upright=upright), "USD"))  # noqa: S314  ours


def sizes(svg: ET.Element, side: str) -> list[float]:
    return [float(rect.attrib[side]) for rect in svg.iter("rect")]


@pytest.mark.parametrize("upright", [True, False])
def test_bars_are_as_long_as_their_amounts(*, upright: bool) -> None:
    found = sizes(drawn("1", "2", "4", "0", upright=upright), "height" if upright else "width")
    assert found[1] == pytest.approx(2 * found[0], abs=0.2)
    assert found[2] == pytest.approx(4 * found[0], abs=0.2)
    assert found[3] == 0


def test_negative_bars_stand_on_the_other_side_of_the_same_zero() -> None:
    upright = drawn("2", "-2", upright=True)
    (top, below), (high, low) = sizes(upright, "y"), sizes(upright, "height")
    assert high == low
    assert below == pytest.approx(top + high, abs=0.2)
    lying = drawn("2", "-2")
    (right, left), (long, other) = sizes(lying, "x"), sizes(lying, "width")
    assert long == other
    assert right == pytest.approx(left + long, abs=0.2)
    assert [rect.attrib["class"] for rect in lying.iter("rect")] == ["", "minus"]


@pytest.mark.parametrize(
    "amounts", [("0.0000481",), ("7", "93"), ("-3.2", "5"), ("-9",), ("12345678",)]
)
def test_the_scale_is_round_and_holds_zero_and_every_bar(amounts: tuple[str, ...]) -> None:
    svg = drawn(*amounts, upright=True)
    scale = [Decimal((text.text or "").replace(",", "")) for text in svg.iter("text")][
        : -len(amounts)
    ]
    assert 2 <= len(scale) <= 7
    assert 0 in scale
    assert min(scale) <= min(map(Decimal, amounts))
    assert max(map(Decimal, amounts)) <= max(scale)
    assert len({scale[at + 1] - scale[at] for at in range(len(scale) - 1)}) == 1


def test_who_cannot_see_it_is_told_all_of_it() -> None:
    svg = drawn("1.5", "2")
    assert svg.attrib["role"] == "img"
    assert [svg.findtext("title"), svg.findtext("desc")] == ["T", "0: 1.50; 1: 2.00"]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_is_text_in_it(name: str) -> None:
    svg = drawn("1", label=name)
    assert {each.tag for each in svg.iter()} == {"svg", "title", "desc", "rect", "text", "line"}
    assert (svg.findtext("desc") or "").startswith(name)


def test_a_long_name_is_cut_and_whole_in_the_description() -> None:
    svg = drawn("1", label="n" * 60)
    assert svg.findtext("text") == "n" * 19 + "…"
    assert "n" * 60 in (svg.findtext("desc") or "")
