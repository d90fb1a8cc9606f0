"""What a real Redis does to a ledger: lost answers, full memory, refusals."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any, cast

import pytest
from builders import NOON
from ledgers import Ledger, completion, measured, memory_ledger, pending, redis_ledger
from redis.asyncio import Connection
from redis.exceptions import ConnectionError as RedisConnectionError

from tollgate.connections.redis import open_redis, open_redis_sync
from tollgate.errors import StoreUnavailable
from tollgate.ledger.batch import MAX_EVENTS_A_CALL
from tollgate.ledger.redis_ledger import RedisLedger
from tollgate.ledger.safety import ledger_warnings
from tollgate.usage.event import MAX_UNITS
from tollgate.usage.tokens import Tokens

pytest_plugins = ["servers"]


@pytest.fixture
async def ledger(redis_server: str) -> AsyncIterator[Ledger]:
    async with redis_ledger(redis_server) as opened:
        yield opened


@pytest.fixture
def admin(redis_server: str) -> Iterator[Any]:
    """A client of which pyright asks nothing: redis-py's types are loose."""
    with open_redis_sync(redis_server) as client:
        yield client


def _is_of_the_script(answer: object) -> bool:
    return isinstance(answer, bytes) and set(answer) <= set(b"amdcl")


class LosesAnAnswer(Connection):
    """Loses the first answer of a script call after the server ran it."""

    is_lost = False

    async def read_response(self, *args: Any, **options: Any) -> Any:
        answer = await cast("Any", super()).read_response(*args, **options)
        if _is_of_the_script(answer) and not self.is_lost:
            self.is_lost = True
            raise RedisConnectionError("the answer was lost")
        return answer


@pytest.mark.parametrize("halves", [(pending, completion), (completion, pending)])
async def test_a_command_that_redis_py_repeats_is_counted_once(
    ledger: Ledger, redis_server: str, halves: Any
) -> None:
    async with open_redis(redis_server) as flaky:
        flaky.connection_pool.connection_class = LosesAnAnswer
        events = [measured("a"), *(half("b") for half in halves)]
        assert await RedisLedger(flaky).apply(events, now=NOON) == ["duplicate"] * 3
    assert [cell.usage.requests for cell in ledger.cells().money] == [1, 1]


async def test_more_events_than_a_call_takes_are_all_counted(ledger: Ledger) -> None:
    events = [measured(str(number)) for number in range(2 * MAX_EVENTS_A_CALL + 1)]
    assert await ledger.apply(*events) == ["applied"] * len(events)
    assert ledger.cells().money[0].usage.requests == len(events)


async def test_events_of_many_meters_are_all_counted(ledger: Ledger) -> None:
    units = {f"unit_{number}": 1 for number in range(MAX_UNITS)}
    await ledger.apply(*(measured(str(number), units=units) for number in range(90)))
    [cell], _ = ledger.cells()
    assert {meter.quantity for name, meter in cell.usage.meters.items() if "unit" in name} == {90}


async def test_what_is_taken_back_is_exact_beyond_2_to_the_53(ledger: Ledger) -> None:
    most = Tokens(input=10**12, output=10**12 - 1)
    many = [pending(f"{n}", provenance="estimated", tokens=most) for n in range(9_100)]
    few = [completion(f"{n}", tokens=Tokens(input=n, output=1)) for n in range(200)]
    twin = memory_ledger()
    for events in (many, few):
        assert await ledger.apply(*events) == await twin.apply(*events)
    assert ledger.cells() == twin.cells()


async def test_a_forgotten_script_is_loaded_again(ledger: Ledger, admin: Any) -> None:
    await ledger.apply(measured("a"))
    admin.script_flush()
    assert await ledger.apply(measured("b")) == ["applied"]


async def test_a_full_memory_is_said_and_counts_nothing(ledger: Ledger, admin: Any) -> None:
    admin.config_set("maxmemory", "1")
    try:
        with pytest.raises(StoreUnavailable, match="its memory is full"):
            await ledger.apply(measured())
    finally:
        admin.config_set("maxmemory", "0")
    assert await ledger.apply(measured()) == ["applied"]


async def test_a_database_of_something_else_is_said(ledger: Ledger, admin: Any) -> None:
    admin.set("tollgate:{contoso}:hours", "x")
    with pytest.raises(StoreUnavailable, match=r"not one of a ledger.*WRONGTYPE"):
        await ledger.apply(measured())


async def test_one_tenant_in_trouble_does_not_stop_the_others(ledger: Ledger, admin: Any) -> None:
    admin.set("tollgate:{t1}:hours", "x")
    with pytest.raises(StoreUnavailable, match="WRONGTYPE"):
        await ledger.apply(*(measured(tenant=f"t{number}") for number in range(3)))
    admin.delete("tollgate:{t1}:hours")
    assert {cell.tenant for cell in ledger.cells().money} == {"t0", "t2"}


async def test_only_names_and_ids_are_kept_of_a_counted_event(ledger: Ledger, admin: Any) -> None:
    await ledger.apply(measured())
    assert sorted(admin.keys()) == [
        b"tollgate:tenants",
        b"tollgate:{contoso}:codes",
        b"tollgate:{contoso}:hours",
        b"tollgate:{contoso}:ids:2026-10-15T12",
        b"tollgate:{contoso}:money:2026-10-15T12",
        b"tollgate:{contoso}:names:2026-10-15",
        b"tollgate:{contoso}:skus",
        b"tollgate:{contoso}:users:2026-10-15",
    ]


async def test_settings_that_endanger_a_ledger_are_seen_on_a_real_server(
    redis_server: str,
) -> None:
    async with open_redis(redis_server) as client:
        [warning] = await ledger_warnings(client)
    assert warning.startswith("appendonly is no")
