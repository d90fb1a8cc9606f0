"""A client that does not read what it asked for gets no more of it, and fills no memory."""

from __future__ import annotations

import asyncio

import pytest
from raw_clients import App, connected

GET = b"GET /%b HTTP/1.1\r\nhost: x\r\n\r\n"
LAST = b"GET /last HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"


@pytest.mark.parametrize("apart", [True, False])
async def test_nothing_more_is_served_until_the_client_has_read(apart: bool) -> None:  # noqa: FBT001  a case
    app = App()
    async with connected(app) as client:
        for request in [GET % b"much", GET % b"one", GET % b"two", LAST]:
            client.send(request)
            await asyncio.sleep(0.05 if apart else 0)
        await asyncio.sleep(0.2)
        assert app.served == ["/much"]
        answers = await client.rest()
    assert app.served == ["/much", "/one", "/two", "/last"]
    assert answers.endswith(b"/last 0;")


async def test_refusals_that_nobody_reads_are_not_piled_up() -> None:
    app, requests = App(), GET % b"early" * 4000
    async with connected(app) as client:
        for _ in range(200):
            client.send(requests)
            await asyncio.sleep(0)
        await asyncio.sleep(0.5)
        served = len(app.served)
        await asyncio.sleep(0.5)
        assert len(app.served) == served
        assert served < 4000 * 200
