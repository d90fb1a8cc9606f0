"""The books: a folder of closed months, each a seal and a file of charges.

    2026-10.json                        the seal, for people too; see `accountant.closing.seals`
    2026-10-1f0c….jsonl.gz              its charges; zcat shows them

Months are closed one after the other, without a gap. Nothing here is ever changed or removed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Final

import msgspec

from accountant.charges import Charge, Uncharged
from accountant.closing.charge_files import file_problem, read_charges
from accountant.closing.seals import Seal, Sealed, read_seal, seal_bytes
from accountant.closing.written_once import alone_in, write_once
from accountant.edition import Edition
from accountant.errors import BooksError
from tollgate.usage.periods import Month

_SEAL: Final = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])\.json")
_PART: Final = ".part"


def after(month: Month) -> Month:
    """The next month."""
    return Month(month.year + month.month // 12, month.month % 12 + 1)


def before(month: Month) -> Month:
    """The last month; that of 0001-01 is none that is ever used."""
    return Month(month.year - (month.month == 1), (month.month - 2) % 12 + 1)


class Books:
    """The closed months of a folder, whose chain is whole.

    Args:
        folder: Where they are; it need not be there yet.

    Attributes:
        sealed: The closed months, oldest first.

    Raises:
        BooksError: A seal or a file is missing or was changed; all that is wrong.
    """

    def __init__(self, folder: Path) -> None:
        self.folder: Final = folder
        self.sealed: Final = _read(folder)

    @property
    def last(self) -> Sealed | None:
        """The month that was closed last."""
        return self.sealed[-1] if self.sealed else None

    @property
    def open_month(self) -> Month | None:
        """The first month that is not closed, whose statements carry corrections."""
        return after(Month.parse(self.last.seal.month)) if self.last else None

    def closed(self, month: Month) -> Sealed | None:
        """A month's seal; None: it is not closed."""
        return next((each for each in self.sealed if each.seal.month == str(month)), None)

    def charges(self, seal: Seal) -> Iterator[Charge | Uncharged]:
        """What was closed, in its order.

        Raises:
            BooksError: The file is missing, or it is not what was closed.
        """
        return read_charges(self.folder, seal.charges)

    def edition(self, sealed: Sealed) -> Edition:
        """Which state of the books a closed month's documents show."""
        seal = sealed.seal
        restated_by = tuple(
            each.seal.month for each in self.sealed if seal.month in each.seal.corrects
        )
        return msgspec.structs.replace(
            seal.draft,
            status="restated" if restated_by else "closed",
            closed_on=seal.closed_at.date(),
            digest=sealed.digest,
            numbers=seal.numbers,
            waivers=tuple(
                msgspec.structs.replace(each.waiver, tenant=each.tenant) for each in seal.let_pass
            ),
            restated_by=restated_by,
        )

    def add(self, seal: Seal) -> bool:
        """Close a month: its seal appears, if it follows what is closed and there is none.

        Returns:
            Whether it is ours; False: someone else closed the month meanwhile, or another one.

        Raises:
            OSError: It cannot be written.
        """
        with alone_in(self.folder):
            last = Books(self.folder).last
            if last != self.last:
                return False
            return write_once(self.folder / f"{seal.month}.json", seal_bytes(seal))

    def strays(self) -> list[str]:
        """Files in the folder that belong to no closed month, such as what a killed close left."""
        if not self.folder.is_dir():
            return []
        known = {each.seal.charges.name for each in self.sealed}
        known |= {f"{each.seal.month}.json" for each in self.sealed}
        found = (path.name for path in self.folder.iterdir())
        return sorted(name for name in found if name not in known)

    def problems(self) -> list[str]:
        """What is wrong with the charges of any month, every byte of them read."""
        found = (file_problem(self.folder, each.seal.charges) for each in self.sealed)
        return [problem for problem in found if problem]


def _read(folder: Path) -> tuple[Sealed, ...]:
    paths = sorted(path for path in _listed(folder) if _SEAL.fullmatch(path.name))
    read = [(path, read_seal(_content(path))) for path in paths]
    problems = [_changed(path) for path, sealed in read if not _is_of(path, sealed)]
    sealed = tuple(each for _, each in read if each)
    if not problems:
        problems = [*_gaps(folder, sealed), *_missing(folder, sealed)]
    if problems:
        raise BooksError(problems)
    return sealed


def _listed(folder: Path) -> Iterable[Path]:
    try:
        return list(folder.iterdir())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise BooksError([f"{folder}: cannot be read: {error.strerror}"]) from None


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BooksError([f"{path}: cannot be read: {error.strerror}"]) from None


def _is_of(path: Path, sealed: Sealed | None) -> bool:
    return sealed is not None and sealed.seal.month == path.stem


def _changed(path: Path) -> str:
    return f"{path}: the seal was changed after the close, or is not whole; restore it from a copy"


def _gaps(folder: Path, sealed: tuple[Sealed, ...]) -> Iterator[str]:
    if sealed and sealed[0].seal.previous is not None:
        first = Month.parse(sealed[0].seal.month)
        yield _lost(folder, before(first), first)
    for earlier, later in pairwise(sealed):
        month, following = (Month.parse(each.seal.month) for each in (earlier, later))
        if following != after(month):
            yield _lost(folder, before(following), following)
        elif later.seal.previous != earlier.digest:
            path = folder / f"{month}.json"
            yield (
                f"{path}: is not the seal that {following} was closed on; restore it from a copy"
            )


def _lost(folder: Path, month: Month, following: Month) -> str:
    return f"{folder / f'{month}.json'}: is missing: {following} was closed on it; restore it"


def _missing(folder: Path, sealed: tuple[Sealed, ...]) -> Iterator[str]:
    for each in sealed:
        if problem := file_problem(folder, each.seal.charges, whole=False):
            yield problem
