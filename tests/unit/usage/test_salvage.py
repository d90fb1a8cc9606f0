from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from tollgate.usage.salvage import SalvagingDecoder


class Inner(msgspec.Struct, frozen=True):
    count: int | None = 0
    inner: Inner | None = None


class Outer(msgspec.Struct, frozen=True):
    name: str | None = None
    inner: Inner | None = None
    items: list[Inner] | None = None
    seconds: Decimal | None = None


decoder = SalvagingDecoder(Outer)


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b'{"name": "a", "seconds": 1.10}', Outer(name="a", seconds=Decimal("1.10"))),
        (b'{"name": 7, "seconds": 1.10}', Outer(seconds=Decimal("1.10"))),
        (b'{"name": "a", "inner": 7}', Outer(name="a")),
        (b'{"inner": {"count": 1.5, "inner": {"count": 2}}}', Outer(None, Inner(None, Inner(2)))),
        (b'{"items": [{"count": 1}, 7, {"count": "x"}]}', Outer(items=[Inner(1), Inner(None)])),
        (b'{"items": {}, "name": "a"}', Outer(name="a")),
        (b'{"name": 7, "seconds": 1e99999999999999999999}', Outer()),
        (b'{"other": [1e400], "name": "a"}', Outer(name="a")),
    ],
)
def test_what_is_odd_is_null_and_hides_nothing(data: bytes, found: Outer) -> None:
    assert decoder.read(data) == found


@pytest.mark.parametrize("data", [b"", b"[]", b"null", b"{", b"\xff", b'{"name": "\xff"}'])
def test_what_is_no_json_object_is_nothing(data: bytes) -> None:
    assert decoder.read(data) is None


def test_nesting_without_end_is_nothing() -> None:
    assert decoder.read(b'{"inner":' * 100_000) is None
