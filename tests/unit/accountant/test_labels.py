from __future__ import annotations

import pytest

from accountant.labels import label, shown
from tollgate.ledger.cells import OVERFLOW


@pytest.mark.parametrize(
    ("field", "name", "shown"),
    [
        ("billing_code", "CC-1001", "CC-1001"),
        ("billing_code", None, "— unallocated —"),
        ("billing_code", OVERFLOW, "— overflow —"),
        ("user", None, "— no user —"),
        ("region", None, "— unknown —"),
    ],
)
def test_what_has_no_name_is_put_into_words(field: str, name: str | None, shown: str) -> None:
    assert label(field, name) == shown


@pytest.mark.parametrize("name", ["(unallocated)", "(overflow)"])
def test_a_name_in_brackets_is_a_name(name: str) -> None:
    assert label("billing_code", name) == name


@pytest.mark.parametrize("name", ["— unallocated —", "— overflow —", "— no user —"])
def test_a_name_that_says_what_we_say_is_in_quotes(name: str) -> None:
    assert label("billing_code", name) == f'"{name}"'


@pytest.mark.parametrize(
    "hidden", ["\u202e", "\u2066", "\u200b", "\u200d", "\ufeff", "\u00ad", "\x1b"]
)
def test_what_cannot_be_seen_is_shown_as_such(hidden: str) -> None:
    assert shown(f"a{hidden}b") == label("user", f"a{hidden}b") == "a\ufffdb"


@pytest.mark.parametrize("name", ["Łódź", "予算 1", "x'y", "שלום"])
def test_any_other_name_is_shown_as_it_is(name: str) -> None:
    assert shown(name) == name
