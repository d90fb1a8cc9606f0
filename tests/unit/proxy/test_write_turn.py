from __future__ import annotations

import asyncio

from tollgate.proxy.write_turn import WriteTurn


class Writer:
    def __init__(self, written: list[str], name: str) -> None:
        self._written, self._name = written, name

    def flush(self) -> None:
        self._written.append(self._name)


async def test_all_of_a_turn_write_at_its_end_in_their_order() -> None:
    written: list[str] = []
    turn = WriteTurn(asyncio.get_running_loop())
    for name in ("a", "b"):
        turn.add(Writer(written, name))
    assert written == []
    await asyncio.sleep(0)
    assert written == ["a", "b"]


async def test_the_next_turn_is_another_one() -> None:
    written: list[str] = []
    turn = WriteTurn(asyncio.get_running_loop())
    for name in ("a", "b"):
        turn.add(Writer(written, name))
        await asyncio.sleep(0)
        assert written[-1] == name
