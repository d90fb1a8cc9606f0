"""What comes on a connection that is about to close, and what closes one."""

from __future__ import annotations

import asyncio
from unittest.mock import create_autospec

import pytest
from raw_clients import App, connected, connected_to
from serving import listening_site

from tollgate.proxy.client_bounds import ConnectionBounds
from tollgate.proxy.client_server import ClientServer

GET = b"GET /%b HTTP/1.1\r\nhost: x\r\n\r\n"
CHUNKED = b"POST /%b HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
OLD = b"GET /early HTTP/1.0\r\nconnection: keep-alive\r\n\r\n"
WAITS = b"POST /early HTTP/1.1\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n{}"


@pytest.mark.parametrize("path", [b"page", b"long"])
async def test_a_body_that_turns_out_malformed_harms_no_other_client(path: bytes) -> None:
    app = App()
    too_long = b"f4241\r\n" + b"a" * 1_000_001 + b"\r\n" if path == b"long" else b""
    async with listening_site(app) as port, connected_to(port) as bad, connected_to(port) as good:
        bad.send(CHUNKED % path, too_long, b"xyz\r\n")
        good.send(GET % b"one")
        await good.said(b"/one 0;")
        await bad.rest()
        good.send(GET % b"two")
        await good.said(b"/two 0;")


@pytest.mark.parametrize("first", [OLD, WAITS], ids=["http/1.0", "expects"])
async def test_nothing_is_served_behind_the_last_answer(first: bytes) -> None:
    app = App()
    async with connected(app) as client:
        client.send(first, GET % b"behind")
        assert (await client.rest()).endswith(b"/early 0;")
    assert app.served == ["/early"]


async def test_what_is_behind_a_refusal_waits_for_a_head_and_not_in_vain() -> None:
    async with connected(App(), ConnectionBounds(head_timeout_s=0.2, idle_timeout_s=0.6)) as client:
        client.send(GET % b"early")
        await client.said(b"/early 0;")
        assert await client.rest() == b""


async def test_who_asks_for_another_protocol_and_is_refused_knows_that_it_ends() -> None:
    async with connected(App()) as client:
        client.send(b"GET /early HTTP/1.1\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n")
        answer = await client.rest()
    assert b"connection: close\r\n" in answer
    assert answer.endswith(b"/early 0;")


async def test_what_varies_counts_as_a_part_of_the_head() -> None:
    async with connected(App()) as client:
        client.send(b"GET /one HTTP/1.1\r\ntracestate: ", b"a" * 100_000, b"\r\n\r\n")
        assert (await client.rest()).startswith(b"HTTP/1.1 431 ")


async def test_what_was_to_begin_when_all_is_cut_short_is_told_of() -> None:
    app = App()
    clients = ClientServer(app, asyncio.get_running_loop())
    connection = clients.connect()
    connection.connection_made(create_autospec(asyncio.Transport, instance=True))
    connection.data_received(GET % b"one")
    connection.give_up()
    connection.connection_lost(None)
    await clients.end(0)
    assert (app.left_by, app.served) == (["/one"], [])


async def test_the_rest_of_a_body_that_is_answered_and_turns_out_malformed_ends_it() -> None:
    app = App()
    async with connected(app) as client:
        client.send(CHUNKED % b"early")
        await client.said(b"/early 0;")
        client.send(b"xyz\r\n", GET % b"behind")
        assert await client.rest() == b""
    assert app.served == ["/early"]
