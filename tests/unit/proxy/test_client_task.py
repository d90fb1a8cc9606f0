from __future__ import annotations

import asyncio

import pytest

from tollgate.proxy.client_task import ClientTask


class Worker:
    def __init__(self) -> None:
        self.task = ClientTask(asyncio.get_running_loop())
        self.done: list[str] = []

    async def work(self, name: str) -> None:
        await asyncio.sleep(0)
        self.done.append(name)


async def test_one_task_does_one_work_after_the_other_and_ends_with_the_last() -> None:
    worker = Worker()
    for name in ("a", "b"):
        worker.task.run(worker.work(name))
        await asyncio.sleep(0.01)
    worker.task.run(worker.work("c"))
    worker.task.end()
    assert worker.task.task
    await worker.task.task
    assert worker.done == ["a", "b", "c"]


async def test_an_idle_task_ends_at_once() -> None:
    worker = Worker()
    worker.task.end()
    worker.task = ClientTask(asyncio.get_running_loop())
    worker.task.run(worker.work("a"))
    await asyncio.sleep(0.01)
    worker.task.end()
    assert worker.task.task
    with pytest.raises(asyncio.CancelledError):
        await worker.task.task


@pytest.mark.parametrize("before", [[], ["a"]])
async def test_work_that_has_not_begun_is_told_of_when_it_is_cut_short(before: list[str]) -> None:
    worker = Worker()
    for name in before:
        worker.task.run(worker.work(name))
        await asyncio.sleep(0.01)
    worker.task.run(worker.work("never"))
    assert worker.task.cut_short()
    assert not worker.task.cut_short()
    assert worker.task.task
    with pytest.raises(asyncio.CancelledError):
        await worker.task.task
    assert worker.done == before
