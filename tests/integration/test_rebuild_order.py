"""Which of two contradicting events stands after a rebuild."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from builders import NOON
from ledgers import completion, measured, pending
from rebuilding import LATER, Books, empty_books

pytest_plugins = ["servers"]
pytestmark = pytest.mark.integration


@pytest.fixture
async def books(redis_server: str) -> AsyncIterator[Books]:
    async with empty_books(redis_server) as made:
        yield made


async def test_of_two_bodies_the_first_recorded_stands_whatever_hours_they_name(
    books: Books,
) -> None:
    hour = timedelta(hours=1)
    first, other = measured("a"), measured("a", NOON - hour, billing_code="b")
    assert await books.take([first], LATER) == ["applied"]
    assert await books.take([other], LATER + hour) == ["conflict"]
    halves = pending("p"), completion("p", NOON), completion("p", NOON - hour, user="x")
    for number, half in enumerate(halves):
        await books.take([half], LATER + number * hour)
    before = books.cells()
    await books.rebuilt()
    assert books.cells() == before
    found = books.audited()
    assert found.differences == []
    assert len(found.contradictions) == 2
