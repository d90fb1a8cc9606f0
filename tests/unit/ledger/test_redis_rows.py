"""Rows as Redis holds them."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from ledgers import measured

from tollgate.ledger.batch import as_json
from tollgate.ledger.cells import OVERFLOW, Meter, Usage
from tollgate.ledger.redis_rows import HashSums, read_rows, read_skus
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


def test_hashes_are_added_up_row_by_row_however_many_there_are() -> None:
    sums = HashSums()
    for _ in range(3_000):
        sums.add({b'["CC-1",7]': b'[2,{"input":[30,2]}]', b"[null,7]": b"[1,{}]"})
    found = {names: usage for (names, _), usage in sums.rows({7: sku_of(DATA)}).items()}
    assert found == {
        ("CC-1",): Usage(6_000, {"input": Meter(90_000, 6_000)}),
        (None,): Usage(3_000, {}),
    }


def test_older_rows_that_only_reasoned_are_added_up_as_newer_ones() -> None:
    sums = HashSums()
    sums.add({b'["CC-1",7]': b'[2,{"reasoning_output":[30,2]}]'})
    [usage] = sums.rows({7: sku_of(DATA)}).values()
    assert usage == Usage(2, {"output": Meter(0, 2), "reasoning_output": Meter(30, 2)})
