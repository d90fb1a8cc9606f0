from __future__ import annotations

import asyncio

from tollgate.local.corked_writes import CorkedTransport


class Recording(asyncio.Transport):
    """Keeps what is written, and whether it was closed."""

    def __init__(self) -> None:
        super().__init__({"peername": "me"})
        self.written: list[bytes] = []
        self.closed = self.ended = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written.append(bytes(data))

    def get_write_buffer_size(self) -> int:
        return 5

    def is_closing(self) -> bool:
        return self.closed

    def write_eof(self) -> None:
        self.ended = True

    def abort(self) -> None:
        self.closed = True

    def close(self) -> None:
        self.closed = True


def corked() -> tuple[CorkedTransport, Recording]:
    beneath = Recording()
    return CorkedTransport(beneath, asyncio.get_running_loop()), beneath


async def test_what_is_written_in_one_turn_goes_out_together() -> None:
    transport, beneath = corked()
    transport.write(b"head")
    transport.write(b"body")
    assert beneath.written == []
    assert transport.get_write_buffer_size() == 13
    await asyncio.sleep(0)
    assert beneath.written == [b"headbody"]
    transport.write(b"next")
    await asyncio.sleep(0)
    assert beneath.written == [b"headbody", b"next"]


async def test_much_goes_out_at_once() -> None:
    transport, beneath = corked()
    transport.write(b"x" * 70_000)
    assert [len(piece) for piece in beneath.written] == [70_000]
    await asyncio.sleep(0)
    assert len(beneath.written) == 1


async def test_what_waits_goes_out_before_the_end() -> None:
    transport, beneath = corked()
    transport.write(b"last")
    transport.close()
    assert (beneath.written, beneath.closed) == ([b"last"], True)


async def test_to_a_client_that_has_left_nothing_goes() -> None:
    transport, beneath = corked()
    transport.write(b"late")
    beneath.closed = True
    await asyncio.sleep(0)
    assert beneath.written == []


async def test_an_abort_waits_for_nothing_and_an_end_for_what_was_written() -> None:
    transport, beneath = corked()
    transport.write(b"last")
    transport.write_eof()
    assert (beneath.written, beneath.ended) == ([b"last"], True)
    transport.write(b"more")
    transport.abort()
    await asyncio.sleep(0)
    assert (beneath.written, beneath.closed) == ([b"last"], True)


async def test_the_rest_is_the_transports_own() -> None:
    transport, _ = corked()
    assert transport.get_extra_info("peername") == "me"
