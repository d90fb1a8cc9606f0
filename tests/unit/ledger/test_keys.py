"""Names of keys and fields, whatever people and tenants are called."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from ledgers import measured
from redis.crc import key_slot

from tollgate.ledger.booking import book
from tollgate.ledger.cells import OVERFLOW, Meter
from tollgate.ledger.keys import TenantKeys, name_field, read_rows, sku_field
from tollgate.usage.sku import sku_of

names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)


@given(names, names)
def test_two_tenants_never_share_a_key(one: str, other: str) -> None:
    booking = book(measured())
    keys = [set(TenantKeys("n", tenant).of([booking])) for tenant in (one, other)]
    assert one == other or not keys[0] & keys[1]


@given(names)
def test_all_keys_of_a_tenant_lie_in_one_slot(tenant: str) -> None:
    keys = TenantKeys("n", tenant)
    found = [*keys.of([book(measured())]), keys.kept_aside("late"), keys.kept_aside("conflict")]
    assert len({key_slot(key.encode()) for key in found}) == 1
    assert all(key.startswith(keys.prefix) for key in found)


@given(names)
def test_the_hash_tag_is_the_whole_tenant(tenant: str) -> None:
    prefix = TenantKeys("n", tenant).prefix
    assert (prefix.count("{"), prefix.count("}")) == (1, 1)


@given(st.none() | names | st.just(OVERFLOW), st.none() | names)
def test_fields_are_read_as_they_were_written(code: str | None, user: str | None) -> None:
    sku = sku_of(measured().event.data)
    row = f"{name_field(code)},{name_field(user)},{sku_field(sku)}"
    counters = {f"[{row}]": "3", f'[{row},"q","input"]': "70", f'[{row},"n","input"]': "2"}
    rows = read_rows({f.encode(): value.encode() for f, value in counters.items()}, names=2)
    [(found, tally)] = rows.items()
    assert found == ((code, user), sku)
    assert (tally.usage().requests, tally.usage().meters) == (3, {"input": Meter(70, 2)})


@given(st.none() | names)
def test_a_name_in_a_field_has_no_line_end(name: str | None) -> None:
    assert "\n" not in name_field(name)
