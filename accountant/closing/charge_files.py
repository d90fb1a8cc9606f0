"""A closed month's charges in a file: JSON Lines in gzip, the same bytes for the same charges."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterable, Iterator
from hashlib import file_digest
from pathlib import Path
from typing import Final, cast

import msgspec

from accountant.charges import Charge, Uncharged
from accountant.closing.written_once import sync_folder
from accountant.errors import BooksError

_LEVEL: Final = 6


class ChargeFile(msgspec.Struct, frozen=True, kw_only=True):
    """Which file it is, and what it must be.

    Args:
        name: In the folder of the books; of its month and digest.
        sha256: Of its bytes.
        size_bytes: How many they are.
        rows: How many charges, and uses that are in none.
    """

    name: str
    sha256: str
    size_bytes: int
    rows: int


class _Row(msgspec.Struct, frozen=True, omit_defaults=True):
    """A line: one of the two."""

    charge: Charge | None = None
    uncharged: Uncharged | None = None


_encoder: Final = msgspec.json.Encoder()
_decoder: Final = msgspec.json.Decoder(_Row)


def write_charges(path: Path, month: str, charges: Iterable[Charge | Uncharged]) -> ChargeFile:
    """Write them as they come; memory does not follow how many there are.

    Args:
        path: Where; a file aside, until `put_in_place`.
        month: Whose they are.
        charges: In their stable order.
    """
    rows = 0
    with path.open("xb") as file:
        with gzip.GzipFile("", "wb", _LEVEL, file, mtime=0) as packed:
            for each in charges:
                row = _Row(each) if isinstance(each, Charge) else _Row(uncharged=each)
                packed.write(_encoder.encode(row) + b"\n")
                rows += 1
        file.flush()
        os.fsync(file.fileno())
    sha256 = _sha256(path)
    return ChargeFile(
        name=f"{month}-{sha256[:16]}.jsonl.gz",
        sha256=sha256,
        size_bytes=path.stat().st_size,
        rows=rows,
    )


def put_in_place(aside: Path, folder: Path, file: ChargeFile) -> None:
    """Give it its name; one that has that name already is the same."""
    aside.replace(folder / file.name)
    sync_folder(folder)


def read_charges(folder: Path, file: ChargeFile) -> Iterator[Charge | Uncharged]:
    """The charges in their order, once the bytes are known to be what was closed.

    Raises:
        BooksError: The file is missing, or it is not what was closed.
    """
    if problem := file_problem(folder, file):
        raise BooksError([problem])
    with gzip.open(folder / file.name) as packed:
        for line in packed:
            row = _decoder.decode(line)
            yield cast("Charge | Uncharged", row.charge or row.uncharged)


def file_problem(folder: Path, file: ChargeFile, *, whole: bool = True) -> str | None:
    """What is wrong with a file, in words; None is nothing.

    Args:
        folder: Of the books.
        file: What it must be.
        whole: Read it; else only its size is looked at.
    """
    path = folder / file.name
    try:
        size = path.stat().st_size
        if size == file.size_bytes and (not whole or _sha256(path) == file.sha256):
            return None
    except FileNotFoundError:
        return f"{path}: is missing: it holds the charges of a closed month; restore it"
    except OSError as error:
        return f"{path}: cannot be read: {error.strerror}"
    return f"{path}: was changed after the close; restore it from a copy"


def _sha256(path: Path) -> str:
    with path.open("rb", buffering=0) as file:
        return file_digest(file, "sha256").hexdigest()
