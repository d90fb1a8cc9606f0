from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from tollgate.errors import SettingsError
from tollgate.settings import Settings
from tollgate.settings_file import SettingsFile

GOOD = """
gateway: {id: %s}
backends:
  - name: weu-1
    url: https://weu-1.openai.azure.com/openai
    region: westeurope
    auth: managed_identity
    deployments: {mini: {name: mini, model: gpt-4o-mini}}
"""


class Followed:
    """A file, and what was taken over of it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "tollgate.yaml"
        self.write("first")
        self.taken: list[str] = []
        self.problem: str | None = None
        self.file = SettingsFile(self.path, self._change)

    def write(self, gateway: str) -> None:
        self.path.write_text(GOOD % gateway)

    async def look_twice(self) -> None:
        await self.file.look()
        await self.file.look()

    def _change(self, settings: Settings) -> None:
        if self.problem:
            raise SettingsError([self.problem])
        self.taken.append(settings.gateway.id)


@pytest.fixture
def followed(tmp_path: Path) -> Followed:
    return Followed(tmp_path)


async def test_a_file_that_stays_is_not_read_again(followed: Followed) -> None:
    await followed.look_twice()
    assert followed.taken == []


async def test_a_change_is_taken_over_at_the_second_look_and_once(followed: Followed) -> None:
    followed.write("second")
    await followed.file.look()
    assert followed.taken == []
    await followed.file.look()
    await followed.look_twice()
    assert followed.taken == ["second"]


async def test_a_file_that_is_still_being_written_is_not_read(followed: Followed) -> None:
    whole = GOOD % "second"
    for end in range(100, len(whole), 20):
        followed.path.write_text(whole[:end])
        await followed.file.look()
    assert (followed.taken, followed.file.problems) == ([], [])
    followed.path.write_text(whole)
    await followed.look_twice()
    assert followed.taken == ["second"]


@pytest.mark.parametrize("text", ["gateway: [", "gateway: {id: x}", ""])
async def test_a_bad_file_is_refused_and_said_until_it_is_good_again(
    followed: Followed, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    followed.path.write_text(text)
    await followed.look_twice()
    assert followed.taken == []
    assert followed.file.problems
    assert "is refused; the old settings stay" in caplog.text
    followed.write("third")
    await followed.look_twice()
    assert (followed.taken, followed.file.problems) == (["third"], [])


async def test_settings_that_cannot_be_served_are_refused(followed: Followed) -> None:
    followed.problem = "environment: KEY is not set"
    followed.write("second")
    await followed.look_twice()
    assert followed.file.problems == ["environment: KEY is not set"]


async def test_a_file_that_vanishes_is_a_problem_and_one_that_comes_back_is_taken(
    followed: Followed,
) -> None:
    followed.path.unlink()
    await followed.look_twice()
    assert followed.file.problems
    followed.write("back")
    await followed.look_twice()
    assert (followed.taken, followed.file.problems) == (["back"], [])


async def test_a_file_that_is_put_in_its_place_is_taken_over(followed: Followed) -> None:
    other = followed.path.with_name("other.yaml")
    other.write_text(GOOD % "fresh")  # as long as the first
    known = followed.path.stat()
    os.utime(other, ns=(known.st_atime_ns, known.st_mtime_ns))
    other.replace(followed.path)
    await followed.look_twice()
    assert followed.taken == ["fresh"]


async def test_the_file_is_watched_until_that_is_cancelled(followed: Followed) -> None:
    watching = asyncio.create_task(followed.file.watch(every_s=0.001))
    followed.write("second")
    async with asyncio.timeout(10):
        while not followed.taken:  # noqa: ASYNC110  nothing tells of it
            await asyncio.sleep(0.001)
    watching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await watching
