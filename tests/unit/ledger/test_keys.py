"""Names of keys, whatever tenants are called."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from redis.crc import key_slot

from tollgate.ledger.keys import TenantKeys, tenants_key

HOUR = "2026-10-15T12"
# Every character is a name's to use here, also those that no event can carry.
hostile = st.text(st.sampled_from("{}:%*?[]\\\n\0\x7f\u2028é🧾a7B"), min_size=1, max_size=8)
tenants = hostile | st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)


def keys_of(tenant: str) -> list[str]:
    keys = TenantKeys("n", tenant)
    return [*keys.of([HOUR]), keys.kept_aside("late"), keys.kept_aside("conflict")]


@given(tenants, tenants)
def test_two_tenants_never_share_a_key(one: str, other: str) -> None:
    assert one == other or not set(keys_of(one)) & set(keys_of(other))


@given(tenants, tenants)
def test_no_key_of_a_tenant_begins_like_those_of_another(one: str, other: str) -> None:
    prefix = TenantKeys("n", other).prefix
    assert one == other or not any(key.startswith(prefix) for key in keys_of(one))


@given(tenants)
def test_all_keys_of_a_tenant_lie_in_the_slot_of_its_name(tenant: str) -> None:
    prefix = TenantKeys("n", tenant).prefix
    tag = prefix.removeprefix("n:{").removesuffix("}:")
    assert {key_slot(key.encode()) for key in keys_of(tenant)} == {key_slot(tag.encode())}
    assert all(key.startswith(prefix) for key in keys_of(tenant))


@given(tenants)
def test_the_hash_tag_is_the_whole_tenant(tenant: str) -> None:
    prefix = TenantKeys("n", tenant).prefix
    assert (prefix.count("{"), prefix.count("}"), prefix.isprintable()) == (1, 1, True)


@given(tenants)
def test_no_tenant_reaches_the_set_of_all_tenants(tenant: str) -> None:
    assert tenants_key("n") not in keys_of(tenant)


def test_the_keys_of_an_hour_reach_over_midnight_and_the_year() -> None:
    keys = TenantKeys("n", "t").of(["2026-12-31T23"])
    assert {"n:{t}:ids:2026-12-31T20", "n:{t}:ids:2027-01-01T00"} < set(keys)
    assert "n:{t}:users:2027-01-01" not in keys
