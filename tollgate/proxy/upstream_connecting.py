"""Opens sockets: to the first address of a name that answers (RFC 8305, "happy eyeballs").

Not left to `loop.create_connection`: uvloop's does not know it.
"""

from __future__ import annotations

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from ipaddress import ip_address
from itertools import chain, zip_longest
from typing import Any, Final

# How long an address may take before the next one is tried beside it; section 8 of the RFC.
_HEAD_START_S: Final = 0.25

# Threads of their own: a resolver that hangs must not keep other work, nor other work it, from one.
_RESOLVERS: Final = ThreadPoolExecutor(16, "resolver")

# A socket address is what the resolver gave, whatever its family makes of it.
Address = tuple[socket.AddressFamily, Any]


async def open_socket(host: str, port: int) -> socket.socket:
    """A connected socket that does not block. The caller bounds the time.

    Raises:
        OSError: The name is not known, or none of its addresses answers.
    """
    look_up = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    if _is_address(host):
        found = look_up()
    else:
        found = await asyncio.get_running_loop().run_in_executor(_RESOLVERS, look_up)
    return await first_connected(interleaved([(entry[0], entry[4]) for entry in found]))


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def interleaved(addresses: list[Address]) -> list[Address]:
    """The families in turn, the preferred one first, each in the resolver's order."""
    families = dict.fromkeys(family for family, _ in addresses)
    columns = [[entry for entry in addresses if entry[0] == family] for family in families]
    return [entry for entry in chain.from_iterable(zip_longest(*columns)) if entry is not None]


async def first_connected(addresses: list[Address]) -> socket.socket:
    """A socket to the first of `addresses` that answers; each gets a head start of 0.25 s.

    Raises:
        OSError: None answers; the last one's reason.
    """
    failure = OSError("a name without addresses")
    left = list(addresses)
    racing: set[asyncio.Task[socket.socket]] = set()
    try:
        while left or racing:
            if left:
                racing.add(asyncio.create_task(_connected(*left.pop(0))))
            done = await _any_done(racing, _HEAD_START_S if left else None)
            for task in done:
                if (error := task.exception()) is None:
                    racing.discard(task)
                    return task.result()
                if not isinstance(error, OSError):
                    raise error
                failure = error
            racing -= done
        raise failure
    finally:
        for task in racing:
            task.add_done_callback(_close_loser)
            task.cancel()


async def _any_done(
    racing: set[asyncio.Task[socket.socket]], timeout_s: float | None
) -> set[asyncio.Task[socket.socket]]:
    done, _ = await asyncio.wait(racing, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
    return done


async def _connected(family: socket.AddressFamily, address: Any) -> socket.socket:
    connecting = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        connecting.setblocking(False)  # noqa: FBT003  the only form there is
        connecting.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.get_running_loop().sock_connect(connecting, address)
    except BaseException:
        connecting.close()
        raise
    return connecting


def _close_loser(task: asyncio.Task[socket.socket]) -> None:
    if not task.cancelled() and task.exception() is None:
        task.result().close()
