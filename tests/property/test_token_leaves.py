from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tollgate.usage.tokens import Tokens, leaves

counts = st.one_of(st.none(), st.integers(0, 30))


@given(
    totals=st.fixed_dictionaries({"input": st.integers(0, 60), "output": st.integers(0, 60)}),
    parts=st.dictionaries(st.sampled_from(Tokens.__struct_fields__[2:]), counts),
)
def test_leaves_are_never_negative_and_add_up_to_the_totals(
    totals: dict[str, int], parts: dict[str, Any]
) -> None:
    try:
        tokens = msgspec.convert({**totals, **parts}, Tokens)
    except msgspec.ValidationError:
        return
    split = leaves(tokens)
    assert all(count > 0 for count in split.values())
    assert sum(split.values()) == totals["input"] + totals["output"]
