"""The long shows; all where none is named.

python -m load [kills TIMES] [ledger EVENTS] [soak SECONDS] [--seed NUMBER]

The seed is the ledger's; the other shows have theirs.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import tempfile
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Final

from load.kills import kill_under_load
from load.ledger_kills import kill_ledger_under_load
from load.soak import soak

Show = Callable[[int, Path], Awaitable[object]]

_LONG: Final = ("kills", "100", "ledger", "100000", "soak", "600")


def main(words: list[str]) -> None:
    """Run one show after the other, and print the figures of each."""
    # Regions complain of a gateway that leaves them, which a killed one does.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    pairs = list(zip(words[::2], map(int, words[1::2]), strict=True))
    seed = dict(pairs).get("--seed", 1)
    shows: dict[str, Show] = {
        "kills": kill_under_load,
        "ledger": partial(kill_ledger_under_load, seed=seed),
        "soak": soak,
    }
    for name, amount in pairs:
        if name != "--seed":
            with tempfile.TemporaryDirectory(prefix="tollgate-load-") as folder:
                print(asyncio.run(_run(shows[name], amount, Path(folder))), flush=True)  # noqa: T201


async def _run(show: Show, amount: int, folder: Path) -> object:
    return await show(amount, folder)


if __name__ == "__main__":
    main(sys.argv[1:] or list(_LONG))
