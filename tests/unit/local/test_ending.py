from __future__ import annotations

import asyncio
import os
import signal

import pytest

from tollgate.local.ending import run_to_its_end


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_lets_the_work_clean_up_and_is_the_exit_code(
    number: signal.Signals, code: int
) -> None:
    cleaned = False

    async def work() -> None:
        nonlocal cleaned
        os.kill(os.getpid(), number)
        try:
            await asyncio.sleep(60)
        finally:
            if number == signal.SIGTERM:
                os.kill(os.getpid(), number)
            await asyncio.sleep(0.01)
            cleaned = True

    with pytest.raises(SystemExit) as ended:
        run_to_its_end(work())
    assert ended.value.code == code
    assert cleaned


def test_work_that_ends_by_itself_gives_its_result() -> None:
    async def work() -> int:
        await asyncio.sleep(0)
        return 3

    assert run_to_its_end(work()) == 3
