"""The client speaks TLS, and only with whom the certificate names."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest
from certificates import signed_by_itself
from cryptography import x509
from raw_upstreams import LENGTH_5, OK, PAUSE, RawServer, serving, until, upstream

from tollgate.proxy.ports import BackendFailed, UpstreamRequest

ANSWER = OK + LENGTH_5 + b"he" + PAUSE + b"llo"


def server_side(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.set_alpn_protocols(["http/1.1"])
    return context


def trusting(certificate: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(certificate))
    context.set_alpn_protocols(["http/1.1"])
    return context


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    return signed_by_itself(tmp_path)


async def test_requests_go_out_over_tls_on_one_connection(certificate: Path) -> None:
    server = RawServer(ANSWER, stays=True, tls=server_side(certificate))
    body = bytes(range(256)) * 8000
    async with server.listening(), upstream(tls=trusting(certificate)) as sender:
        for url in (server.url, server.url, server.url.replace("localhost", "127.0.0.1")):
            made = await sender.send(UpstreamRequest(url, {}, body))
            assert await made.read(5) == b"hello"
            made.close()
    assert server.connections == 2
    assert [request.endswith(b"\r\n\r\n" + body) for request in server.requests] == [True] * 3


async def test_a_long_answer_is_whole_over_tls(certificate: Path) -> None:
    body = bytes(range(256)) * 20_000
    answer = OK + b"content-length: %d\r\n\r\n" % len(body) + body
    server = RawServer(answer, tls=server_side(certificate))
    async with server.listening(), upstream(tls=trusting(certificate)) as sender:
        made = await sender.send(UpstreamRequest(server.url, {}, b"{}"))
        await asyncio.sleep(0.05)
        assert await made.read(len(body)) == body
        made.close()


async def test_an_answer_without_a_length_ends_with_the_connection(certificate: Path) -> None:
    server = RawServer(OK + b"\r\nhello", tls=server_side(certificate))
    async with server.listening(), upstream(tls=trusting(certificate)) as sender:
        made = await sender.send(UpstreamRequest(server.url, {}, b"{}"))
        assert await made.read(5) == b"hello"
        made.close()


async def test_another_hosts_certificate_is_refused(tmp_path: Path) -> None:
    certificate = signed_by_itself(tmp_path, x509.DNSName("elsewhere.example"))
    await assert_refused(server_side(certificate), trusting(certificate))


async def test_an_unknown_authority_is_refused(certificate: Path) -> None:
    await assert_refused(server_side(certificate), None)


async def assert_refused(theirs: ssl.SSLContext, ours: ssl.SSLContext | None) -> None:
    server = RawServer(ANSWER, tls=theirs)
    async with server.listening(), upstream(tls=ours) as sender:
        with pytest.raises(BackendFailed) as failed:
            await sender.send(UpstreamRequest(server.url, {}, b"{}"))
        assert sender.open_connections == 0
    assert str(failed.value) == "cannot connect: SSLCertVerificationError"
    assert not failed.value.may_have_cost
    assert server.requests == []


async def test_a_handshake_that_never_ends_is_a_failed_connection() -> None:
    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        left.append(await reader.read())
        writer.close()

    left: list[bytes] = []
    async with serving(say_nothing) as port, upstream(timeout_s=0.1) as sender:
        with pytest.raises(BackendFailed, match="cannot connect: TimeoutError") as failed:
            await sender.send(UpstreamRequest(f"https://127.0.0.1:{port}/", {}, b"{}"))
        await until(lambda: bool(left))
    assert not failed.value.may_have_cost
