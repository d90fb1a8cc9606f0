from __future__ import annotations

import pytest

from tollgate.proxy.concurrency import Concurrency
from tollgate.proxy.refusals import Refusal


def test_as_many_enter_as_may_and_one_more_when_one_has_left() -> None:
    concurrency = Concurrency()
    concurrency.enter("contoso", 2, "req-1")
    concurrency.enter("contoso", 2, "req-1")
    with pytest.raises(Refusal) as refused:
        concurrency.enter("contoso", 2, "req-1")
    assert (refused.value.status, refused.value.code) == (429, "too_many_concurrent_requests")
    assert dict(refused.value.answer().headers)["retry-after"] == "1"
    assert concurrency.under_way("contoso") == 2
    concurrency.leave("contoso", "req-1")
    concurrency.enter("contoso", 2, "req-1")


def test_tenants_do_not_stand_in_each_others_way() -> None:
    concurrency = Concurrency()
    concurrency.enter("contoso", 1, "req-1")
    concurrency.enter("fabrikam", 1, "req-2")
    assert concurrency.under_way("fabrikam") == 1


def test_without_a_limit_everybody_enters_and_is_counted() -> None:
    concurrency = Concurrency()
    for _ in range(1000):
        concurrency.enter("contoso", None, "req-1")
    assert concurrency.under_way("contoso") == 1000
    for _ in range(1000):
        concurrency.leave("contoso", "req-1")
    assert concurrency.under_way("contoso") == 0


def test_the_ids_of_the_requests_under_way_are_known() -> None:
    concurrency = Concurrency()
    concurrency.enter("contoso", 1, "req-1")
    with pytest.raises(Refusal):
        concurrency.enter("contoso", 1, "req-2")
    assert concurrency.ids == {"req-1"}
    concurrency.leave("contoso", "req-1")
    assert concurrency.ids == set()


def test_a_limit_that_is_lowered_holds_for_the_next() -> None:
    concurrency = Concurrency()
    concurrency.enter("contoso", 5, "req-1")
    concurrency.enter("contoso", 5, "req-1")
    with pytest.raises(Refusal):
        concurrency.enter("contoso", 1, "req-1")
