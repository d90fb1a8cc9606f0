from __future__ import annotations

import asyncio

import pytest

from tollgate.proxy.deadline import Deadline


async def test_what_is_in_time_is_left_alone() -> None:
    with Deadline(1):
        assert await asyncio.sleep(0, 7) == 7


async def test_what_takes_too_long_is_a_timeout() -> None:
    with pytest.raises(TimeoutError), Deadline(0.001):
        await asyncio.Event().wait()
    await asyncio.sleep(0)  # and the task goes on


async def test_a_cancellation_by_others_stays_one() -> None:
    async def work() -> None:
        with Deadline(10):
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_cancellation_by_others_at_the_same_time_stays_one() -> None:
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().call_later(0.001, task.cancel)
    with pytest.raises(asyncio.CancelledError), Deadline(0.001):
        await asyncio.Event().wait()
    task.uncancel()


async def test_an_error_in_the_block_passes() -> None:
    with pytest.raises(ValueError, match="no"), Deadline(1):
        raise ValueError("no")


async def test_a_deadline_can_be_lifted() -> None:
    with Deadline(0.001) as deadline:
        deadline.lift()
        await asyncio.sleep(0.005)


def test_without_a_task_there_is_nothing_to_end() -> None:
    with pytest.raises(RuntimeError), Deadline(1):
        pass
