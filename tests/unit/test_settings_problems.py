from __future__ import annotations

from typing import Any

import pytest

from tollgate.settings_problems import contradictions

KEY = "sha256:" + "ab" * 32


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (
            {"backends": [{"name": "weu"}, {"name": "weu"}]},
            "backends: the name 'weu' stands twice",
        ),
        (
            {"tenants": [{"name": "a", "aliases": ["Straße"]}, {"name": "STRASSE"}]},
            "tenants: the name or alias 'strasse' stands at two tenants",
        ),
        (
            {"tenants": [{"name": "Unallocated"}]},
            "tenants: the name 'unallocated' is Tollgate's own",
        ),
        (
            {"tenants": [{"name": "a", "keys": [KEY]}, {"name": "b", "keys": [KEY]}]},
            "tenants: the key sha256:abababab… stands twice",
        ),
        (
            {"gateway": {"trusted_callers": [KEY]}, "tenants": [{"name": "a", "keys": [KEY]}]},
            "tenants: the key sha256:abababab… stands in gateway.trusted_callers",
        ),
        (
            {"tenants": [{"name": "a", "subscriptions": ["s"]}, {"subscriptions": ["s"]}]},
            "tenants: the subscription 's' stands twice",
        ),
        (
            {"tenants": [{"name": "a", "billing_codes": ["CC-1", "cc-1"]}]},
            "tenants: billing code 'cc-1' stands twice at 'a'",
        ),
        (
            {"tenants": [{"name": "a", "keys": ["secret", "secret"]}]},
            "tenants: a key stands twice",
        ),
    ],
)
def test_what_stands_in_two_places_is_told(raw: dict[str, Any], problem: str) -> None:
    assert contradictions(raw) == [problem]


@pytest.mark.parametrize(
    "raw",
    [
        None,
        [],
        {"tenants": None, "backends": "x", "gateway": []},
        {"tenants": [None, {"name": 3, "keys": {"a": 1}}]},
        {"tenants": [{"name": "a", "aliases": ["A"]}, {"name": "b", "billing_codes": ["A"]}]},
    ],
)
def test_what_does_not_contradict_itself_is_left_to_other_checks(raw: object) -> None:
    assert contradictions(raw) == []
