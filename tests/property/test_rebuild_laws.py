"""Laws of the archive: a rebuild is the identity, and an audit finds whatever was changed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

from builders import NOON
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ledgers import completion, measured, pending
from rebuilding import LATER, Books, empty_books

from tollgate.ledger.archive_files import archive_files
from tollgate.usage.event import ReceivedEvent
from tollgate.usage.tokens import Tokens

pytest_plugins = ["servers"]

thorough = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
LONG_AFTER = NOON + timedelta(days=30)
HOURS = [NOON + timedelta(hours=hours) for hours in (0, 1, 13)]

tokens = st.builds(
    Tokens,
    input=st.integers(20, 10**12),
    output=st.integers(3, 9),
    cached_input=st.sampled_from([0, 5, None]),
    audio_input=st.sampled_from([0, 5]),
    reasoning_output=st.sampled_from([0, 3, None]),
)
changes = st.fixed_dictionaries(
    {
        "tenant": st.sampled_from(["t", "t}:{t"]),
        "billing_code": st.sampled_from([None, "a", 'b","']),
        "user": st.sampled_from([None, "u", "v"]),
        "model": st.sampled_from(["m", "n"]),
    }
)


@st.composite
def free_of_conflicts(draw: st.DrawFn) -> list[ReceivedEvent]:
    """Events of distinct keys in any order and repetition; some are two halves."""
    events: list[ReceivedEvent] = []
    for number in range(draw(st.integers(1, 6))):
        made = draw(changes)
        halves = draw(st.sampled_from(["measured", "units", "pending", "completion", "both"]))
        if halves == "measured":
            events.append(
                measured(f"{number}", draw(st.sampled_from(HOURS)), tokens=draw(tokens), **made)
            )
        if halves == "units":
            events.append(measured(f"{number}", NOON, units={"images": 2}, **made))
        if halves in ("pending", "both"):
            events.append(pending(f"{number}", draw(st.sampled_from(HOURS)), **made))
        if halves in ("completion", "both"):
            other = {**draw(changes), "tenant": made["tenant"], "tokens": draw(tokens)}
            events.append(completion(f"{number}", draw(st.sampled_from(HOURS)), **other))
    again = draw(st.lists(st.sampled_from(events), max_size=6))
    return draw(st.permutations([*events, *again]))


@st.composite
def disputed(draw: st.DrawFn) -> list[ReceivedEvent]:
    """Events of few keys, many in conflict, as an archive by hour has them in order."""

    def one() -> ReceivedEvent:
        make = draw(st.sampled_from([measured, pending, completion]))
        time = draw(st.sampled_from(HOURS))
        return make(draw(st.sampled_from("123")), time, **draw(changes))

    events = [one() for _ in range(draw(st.integers(1, 12)))]
    again = draw(st.lists(st.sampled_from(events), max_size=4))
    return sorted([*events, *again], key=lambda each: each.event.time)


def on_books(url: str, play: Callable[[Books], Awaitable[None]]) -> None:
    async def run() -> None:
        async with empty_books(url) as books:
            await play(books)

    asyncio.run(run())


@thorough
@given(free_of_conflicts() | disputed(), st.sampled_from([LATER, LONG_AFTER]))
def test_a_rebuild_changes_nothing(
    redis_server: str, events: list[ReceivedEvent], now: datetime
) -> None:
    async def play(books: Books) -> None:
        await books.take(events)
        before = books.cells(), books.aside()
        await books.rebuilt(now)
        assert (books.cells(), books.aside()) == before

    on_books(redis_server, play)


@thorough
@given(free_of_conflicts() | disputed())
def test_after_a_rebuild_every_event_is_known_as_before(
    redis_server: str, events: list[ReceivedEvent]
) -> None:
    async def play(books: Books) -> None:
        await books.take(events)
        known = await books.apply(events)
        cells = books.cells()
        await books.rebuilt()
        assert await books.apply(events) == known
        assert books.cells() == cells

    on_books(redis_server, play)


@thorough
@given(free_of_conflicts())
def test_half_of_a_pair_before_a_rebuild_and_half_after_is_a_pair(
    redis_server: str, events: list[ReceivedEvent]
) -> None:
    async def play(books: Books) -> None:
        await books.take(events)
        expected = books.cells()
        books.reading.flushall()  # pyright: ignore[reportUnknownMemberType]  types of redis-py
        for file in archive_files(books.folder):
            file.path.unlink()
        middle = len(events) // 2
        await books.take(events[:middle])
        await books.rebuilt()
        await books.take(events[middle:])
        assert books.cells() == expected

    on_books(redis_server, play)


@thorough
@given(free_of_conflicts())
def test_an_audit_of_what_nobody_touched_finds_nothing(
    redis_server: str, events: list[ReceivedEvent]
) -> None:
    async def play(books: Books) -> None:
        await books.take(events)
        found = books.audited()
        assert found.is_clean
        assert found.events == len(events)

    on_books(redis_server, play)


@thorough
@given(disputed())
def test_what_is_in_dispute_is_no_difference(
    redis_server: str, events: list[ReceivedEvent]
) -> None:
    async def play(books: Books) -> None:
        await books.take(events)
        assert books.audited().differences == []

    on_books(redis_server, play)


@thorough
@given(free_of_conflicts(), st.data())
def test_any_counter_that_was_changed_is_found(
    redis_server: str, events: list[ReceivedEvent], data: st.DataObject
) -> None:
    async def play(books: Books) -> None:
        await books.take(events)
        redis: Any = books.reading
        keys = sorted(key for key in redis.scan_iter() if b":money:" in key or b":users:" in key)
        key = data.draw(st.sampled_from(keys))
        field = data.draw(st.sampled_from(sorted(redis.hkeys(key))))
        text = redis.hget(key, field)
        digit = data.draw(st.sampled_from([at for at, byte in enumerate(text) if 48 <= byte < 57]))
        changed = text[:digit] + bytes([text[digit] + 1]) + text[digit + 1 :]
        redis.hset(key, field, changed)
        assert books.audited().differences

    on_books(redis_server, play)


@thorough
@given(free_of_conflicts(), st.data())
def test_any_line_or_file_that_is_gone_is_found_and_sealed_ones_without_the_ledger(
    redis_server: str, events: list[ReceivedEvent], data: st.DataObject
) -> None:
    from tollgate.ledger.manifest import check, seal  # noqa: PLC0415  only here

    async def play(books: Books) -> None:
        await books.take(events)
        seal(books.folder, LATER)
        assert check(books.folder, LATER).breaks == []
        file = data.draw(st.sampled_from(archive_files(books.folder))).path
        lines = file.read_bytes().splitlines(keepends=True)
        gone = data.draw(st.integers(-1, len(lines) - 1))
        if gone < 0:
            file.unlink()
        else:
            file.write_bytes(b"".join(lines[:gone] + lines[gone + 1 :]))
        assert len(check(books.folder, LATER).breaks) == 1

    on_books(redis_server, play)
