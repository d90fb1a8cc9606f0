"""A rate card that is written and read again is the same card, whatever its names."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import hypothesis.strategies as st
import msgspec
import pytest
from accounting import rate
from hypothesis import given, settings

from accountant.rate_cards.rate_card import Rate
from accountant.rate_cards.rate_files import read_rate_files
from accountant.rate_cards.rate_writing import rates_csv, rates_toml

NAMES = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=20
).filter(lambda name: name == name.strip())
NASTY = NAMES | st.sampled_from(
    ["=1+1", "'=1", "''=1", '"', "a,b;c", "[[rate]]", "\\", "true", "'"]
)


def _rate(price: Decimal, **members: Any) -> Rate:
    return rate(str(price), **members, checked_on=date(2026, 11, 21))


RATES = st.builds(
    _rate,
    st.decimals("0", "1000", places=12),
    model=NASTY,
    source=NASTY,
    region=st.none() | NASTY,
    model_version=st.none() | NASTY,
    prompt_band=st.sampled_from([None, "0-32000", "512000+"]),
    meter=st.sampled_from(["input", "cached_audio_input", "images:1024x1024:hd"]),
    per=st.sampled_from([1, 1000, 10**6]),
    effective_to=st.none() | st.dates(date(2026, 1, 2), date(2030, 1, 1)),
)


def toml(rates: Iterable[Rate], drafts: Iterable[Rate]) -> str:
    return rates_toml(["drafts"], rates, drafts)


@pytest.mark.parametrize(("name", "write"), [("c.csv", rates_csv), ("c.toml", toml)])
def test_what_is_written_is_read_the_same(
    name: str, write: Callable[[Iterable[Rate], Iterable[Rate]], str]
) -> None:
    @settings(deadline=None, max_examples=60)
    @given(RATES, RATES)
    def law(own: Rate, draft: Rate) -> None:
        with TemporaryDirectory() as folder:
            path = Path(folder) / name
            path.write_text(write([own], [draft]), encoding="utf-8", newline="")
            found = read_rate_files([path])
        assert found.problems == []
        assert [_bare(each) for each in (*found.rates, *found.drafts)] == [_bare(own), _bare(draft)]

    law()


def _bare(each: Rate) -> Rate:
    """Without its place, and with its price as a number."""
    price = Decimal(each.unit_price.normalize())
    return msgspec.structs.replace(each, place="", unit_price=price)
