from __future__ import annotations

import pytest
from builders import raw_event

from tollgate.events.envelope import is_cloud_event, tenant_of

WITHOUT_TENANT = b'{"specversion":"1.0","id":"1","source":"/g","type":"t","data":%b}'


def test_a_usage_event_is_a_cloud_event_of_its_tenant() -> None:
    assert is_cloud_event(raw_event())
    assert tenant_of(raw_event(tenant="Zoë & 雪:{}")) == "Zoë & 雪:{}"


@pytest.mark.parametrize(
    "event", [b"", b"rubbish", b"[]", b'{"id": "1"}', b"\xff", b"[" * 100_000, b'{"id": ' * 9_999]
)
def test_what_is_no_cloud_event_belongs_to_nobody(event: bytes) -> None:
    assert not is_cloud_event(event)
    assert tenant_of(event) is None


@pytest.mark.parametrize("data", [b"null", b"[]", b"3", b"{}", b'{"tenant": 3}'])
def test_a_cloud_event_whose_data_names_no_tenant_is_one_still(data: bytes) -> None:
    event = WITHOUT_TENANT % data
    assert is_cloud_event(event)
    assert tenant_of(event) is None
    assert tenant_of(event.replace(b',"data":' + data, b"")) is None
