from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator

import pytest

from tollgate.proxy.upstream_connecting import (
    Address,
    first_connected,
    interleaved,
    open_socket,
)

V4, V6 = socket.AF_INET, socket.AF_INET6


@pytest.fixture
def listening() -> Iterator[Address]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield V4, server.getsockname()


@pytest.fixture
def refusing() -> Iterator[Address]:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        yield V4, unused.getsockname()


@pytest.fixture
def silent() -> Iterator[Address]:
    """A listener whose queue is full."""
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for waiting in (first, second):
            waiting.setblocking(False)  # noqa: FBT003  the only form there is
            waiting.connect_ex(full.getsockname())
        yield V4, full.getsockname()


async def reached(*addresses: Address) -> Address:
    with await first_connected(list(addresses)) as connected:
        assert connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        return V4, connected.getpeername()


def test_the_families_take_turns() -> None:
    found: list[Address] = [(V6, 1), (V6, 2), (V6, 3), (V4, 4)]
    assert interleaved(found) == [(V6, 1), (V4, 4), (V6, 2), (V6, 3)]


async def test_the_first_that_answers_is_taken(listening: Address, silent: Address) -> None:
    async with asyncio.timeout(3):
        assert await reached(listening, silent) == listening
        assert await reached(silent, listening) == listening


async def test_an_address_that_refuses_costs_no_time(listening: Address, refusing: Address) -> None:
    async with asyncio.timeout(0.4):
        assert await reached(refusing, refusing, listening) == listening


async def test_when_none_answers_the_reason_is_told(refusing: Address) -> None:
    with pytest.raises(ConnectionRefusedError):
        await first_connected([refusing, refusing])
    with pytest.raises(OSError, match="without addresses"):
        await first_connected([])


async def test_a_cancelled_race_leaves_nothing_open(silent: Address) -> None:
    racing = asyncio.create_task(first_connected([silent, silent]))
    await asyncio.sleep(0.3)
    racing.cancel()
    await asyncio.wait({racing})
    await asyncio.sleep(0)
    assert len(asyncio.all_tasks()) == 1


async def test_a_name_is_looked_up(listening: Address) -> None:
    with await open_socket("localhost", listening[1][1]) as connected:
        assert connected.getpeername() == listening[1]
