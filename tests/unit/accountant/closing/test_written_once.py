from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path
from threading import Barrier, Thread
from typing import NoReturn

import pytest

from accountant.closing.written_once import alone_in, write_once


def test_a_file_appears_whole_and_alone(tmp_path: Path) -> None:
    assert write_once(tmp_path / "seal.json", b"one")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"seal.json": b"one"}


def test_a_file_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    assert write_once(tmp_path / "seal.json", b"one")
    assert not write_once(tmp_path / "seal.json", b"two")
    assert (tmp_path / "seal.json").read_bytes() == b"one"


@pytest.mark.parametrize("links", ["links", "no links"])
def test_of_many_at_once_one_writes(
    links: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if links == "no links":
        monkeypatch.setattr(os, "link", refused)
    start, ours = Barrier(8), list[int]()

    def write(number: int) -> None:
        start.wait()
        if write_once(tmp_path / "seal.json", b"%d" % number):
            ours.append(number)

    threads = [Thread(target=write, args=[number]) for number in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(ours) == 1
    assert (tmp_path / "seal.json").read_bytes() == b"%d" % ours[0]
    assert len(list(tmp_path.iterdir())) == 1


def refused(*_: object) -> NoReturn:
    """A file system without hard links."""
    raise OSError(errno.EPERM, "Operation not permitted")


def test_a_link_whose_answer_was_lost_is_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = os.link

    def twice(source: Path, target: Path) -> None:
        link(source, target)
        link(source, target)

    monkeypatch.setattr(os, "link", twice)
    assert write_once(tmp_path / "seal.json", b"one")


def test_another_problem_is_raised_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> NoReturn:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "link", full)
    with pytest.raises(OSError, match="No space"):
        write_once(tmp_path / "seal.json", b"one")
    assert list(tmp_path.iterdir()) == []


def test_where_a_file_system_has_no_locks_nobody_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*_: object) -> None:
        raise OSError(errno.ENOLCK, "no locks")

    monkeypatch.setattr(fcntl, "flock", none)
    with alone_in(tmp_path):
        assert write_once(tmp_path / "seal", b"1")
