from __future__ import annotations

import asyncio

from tollgate.proxy.write_turn import WriteTurn


class Writer:
    def __init__(self, written: list[str], name: str) -> None:
        self._written, self._name = written, name

    def flush(self) -> None:
        self._written.append(self._name)


async def test_all_of_two_turns_write_at_the_end_in_their_order() -> None:
    written: list[str] = []
    turn = WriteTurn(asyncio.get_running_loop())
    for name in ("a", "b"):
        turn.add(Writer(written, name))
    await asyncio.sleep(0)
    turn.add(Writer(written, "c"))
    assert written == []
    await asyncio.sleep(0)
    assert written == ["a", "b", "c"]


async def test_what_comes_later_is_written_later() -> None:
    written: list[str] = []
    turn = WriteTurn(asyncio.get_running_loop())
    for name in ("a", "b"):
        turn.add(Writer(written, name))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert written[-1] == name
