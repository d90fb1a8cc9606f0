"""Rows as Redis holds them."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from ledgers import measured

from tollgate.ledger.batch import as_json
from tollgate.ledger.cells import OVERFLOW, Meter, Usage
from tollgate.ledger.redis_rows import read_rows, read_skus
from tollgate.usage.sku import sku_of, sku_values

DATA = measured().event.data
names = st.none() | st.text(st.characters(codec="utf-8"), min_size=1) | st.just(OVERFLOW)


@given(names, names)
def test_a_row_is_read_as_it_was_written(code: str | None, user: str | None) -> None:
    field = f"[{as_json(code)},{as_json(user)},7]".encode()
    rows = read_rows({field: b'[3,{"output":[0,1],"input":[70,2]}]'}, {7: sku_of(DATA)})
    usage = Usage(3, {"input": Meter(70, 2), "output": Meter(0, 1)})
    assert rows == {((code, user), sku_of(DATA)): usage}
    assert list(rows[(code, user), sku_of(DATA)].meters) == ["input", "output"]


def test_a_sku_is_read_as_it_was_written() -> None:
    without_region = msgspec.structs.replace(DATA, region=None)
    table = {as_json(sku_values(data)): str(i) for i, data in enumerate([DATA, without_region])}
    read = read_skus({sku.encode(): number.encode() for sku, number in table.items()})
    assert read == {0: sku_of(DATA), 1: sku_of(without_region)}


@given(names)
def test_a_name_in_a_field_has_no_line_end(name: str | None) -> None:
    assert "\n" not in as_json(name)
