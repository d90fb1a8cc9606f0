"""The script that applies events in Redis. Its parts are one program, in this order."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

_PARTS: Final = ("call", "ids", "names", "cells", "pairs", "outcomes")


def script() -> bytes:
    """The script, as `EVAL` takes it; what it is given and returns stands at its beginning."""
    folder = files(__name__)
    return b"\n".join(folder.joinpath(f"{part}.lua").read_bytes() for part in _PARTS)
