from __future__ import annotations

import pytest

from accountant.labels import label
from tollgate.ledger.cells import OVERFLOW


@pytest.mark.parametrize(
    ("field", "name", "shown"),
    [
        ("billing_code", "CC-1001", "CC-1001"),
        ("billing_code", None, "(unallocated)"),
        ("billing_code", OVERFLOW, "(overflow)"),
        ("user", None, "(no user)"),
        ("region", None, "(unknown)"),
    ],
)
def test_what_has_no_name_is_put_into_words(field: str, name: str | None, shown: str) -> None:
    assert label(field, name) == shown
