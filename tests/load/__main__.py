"""The long shows; all where none is named.

python -m load [kills TIMES] [ledger EVENTS] [soak SECONDS] [--seed NUMBER]
"""

from __future__ import annotations

import asyncio
import logging
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from load.kills import kill_under_load
from load.ledger_kills import kill_ledger_under_load
from load.soak import soak

_SHOWS: Final[dict[str, Callable[[int, Path], Awaitable[object]]]] = {
    "kills": kill_under_load,
    "ledger": kill_ledger_under_load,
    "soak": soak,
}
_LONG: Final = ("kills", "100", "soak", "600")


def main(words: list[str]) -> None:
    """Run one show after the other, and print a line of figures for each."""
    # Regions complain of a gateway that leaves them, which a killed one does.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    for name, amount in zip(words[::2], words[1::2], strict=True):
        with tempfile.TemporaryDirectory(prefix="tollgate-load-") as folder:
            print(asyncio.run(_run(name, int(amount), Path(folder))), flush=True)  # noqa: T201


async def _run(name: str, amount: int, folder: Path) -> object:
    return await _SHOWS[name](amount, folder)


if __name__ == "__main__":
    main(sys.argv[1:] or list(_LONG))
