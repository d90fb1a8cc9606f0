"""What the test broker encodes, it decodes to the same value of the same type."""

from __future__ import annotations

from typing import Any

from eventhubs.amqp_decoding import decode
from eventhubs.amqp_encoding import encode
from eventhubs.amqp_types import (
    Described,
    Int,
    Strings,
    Symbol,
    Timestamp,
    UByte,
    UInt,
    ULong,
    UShort,
)
from hypothesis import given
from hypothesis import strategies as st

SIGNED_64 = st.integers(-(2**63), 2**63 - 1)
SYMBOLS = st.text(st.characters(max_codepoint=127), max_size=300).map(Symbol)
TEXTS = st.text(max_size=300)
PRIMITIVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(0, 255).map(UByte),
    st.integers(0, 2**16 - 1).map(UShort),
    st.integers(0, 2**32 - 1).map(UInt),
    st.integers(0, 2**64 - 1).map(ULong),
    st.integers(-(2**31), 2**31 - 1).map(Int),
    SIGNED_64,
    SIGNED_64.map(Timestamp),
    st.floats(allow_nan=False),
    st.binary(max_size=300),
    TEXTS,
    SYMBOLS,
    st.uuids(),
    st.lists(TEXTS, max_size=5).map(Strings),
    st.lists(SYMBOLS, max_size=5).map(Strings),
)
VALUES = st.recursive(
    PRIMITIVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=5),
        st.dictionaries(st.one_of(TEXTS, SYMBOLS), inner, max_size=5),
        st.builds(Described, st.integers(0, 2**64 - 1).map(ULong), inner),
    ),
    max_leaves=10,
)


def typed(value: Any) -> Any:
    """The value with its types, which compare equal in Python where AMQP's are not."""
    if isinstance(value, Described):
        return Described, typed(value.code), typed(value.value)
    if isinstance(value, dict):
        return [(typed(name), typed(item)) for name, item in value.items()]  # pyright: ignore[reportUnknownVariableType]  any
    if isinstance(value, list):
        return type(value), [typed(item) for item in value]  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]  any
    return type(value), value


@given(VALUES)
def test_a_value_comes_back_as_it_was(value: Any) -> None:
    encoded = encode(value)
    assert (typed(decode(encoded)[0]), decode(encoded)[1]) == (typed(value), len(encoded))


@given(st.lists(VALUES, max_size=4))
def test_values_that_follow_each_other_are_told_apart(values: list[Any]) -> None:
    encoded, at, found = b"".join(map(encode, values)), 0, list[Any]()
    while at < len(encoded):
        value, at = decode(encoded, at)
        found.append(typed(value))
    assert found == [typed(value) for value in values]
