"""What is missing of Event Hubs Capture: a partition numbers its events without a gap."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from tollgate.errors import DamagedFile
from tollgate.ledger.archive_files import ArchiveFile
from tollgate.ledger.capture import read_capture_file

_WINDOW: Final = re.compile(r"\d{4}\D\d\d\D\d\d\D\d\d\D\d\d\D\d\d(?!\d)")


def gaps(files: Iterable[ArchiveFile]) -> list[str]:
    """Numbers that no file has, between those that some have, in words.

    A file whose path does not say when its window began is left out, as it does not say either
    which partition it is of.
    """
    stretches: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    for file in files:
        partition = _WINDOW.sub("*", file.path.as_posix())
        if file.is_capture and "*" in partition:
            numbers = _numbers(file)
            if numbers:
                stretches[partition].append((min(numbers), max(numbers)))
    return [text for name, found in sorted(stretches.items()) for text in _between(name, found)]


def _numbers(file: ArchiveFile) -> list[int]:
    numbers: list[int] = []
    try:
        numbers.extend(each.sequence for each in read_capture_file(file.path))
    except DamagedFile:
        return numbers  # said elsewhere
    return numbers


def _between(partition: str, stretches: list[tuple[int, int]]) -> Iterable[str]:
    end: int | None = None
    for first, last in sorted(stretches):
        if end is not None and first > end + 1:
            yield f"{partition}: events {end + 1} to {first - 1} are missing"
        end = last if end is None else max(end, last)
