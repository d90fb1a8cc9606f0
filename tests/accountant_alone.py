"""An environment under build/ with the accountant's extra alone, at the versions of the lock."""

from __future__ import annotations

import fcntl
import os
import subprocess
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
_HOME: Final = ROOT / "build/accountant-alone"
_UV: Final = ROOT / ".tools/uv/bin/uv"
_INSTALL_S: Final = 600


def installed_alone() -> Path:
    """The environment's commands, after what is missing is installed; one at a time."""
    _HOME.parent.mkdir(exist_ok=True)
    environment = {**os.environ, "UV_PROJECT_ENVIRONMENT": str(_HOME)}  # noqa: TID251  of uv
    environment.pop("VIRTUAL_ENV", None)
    with _HOME.with_suffix(".busy").open("w") as busy:
        fcntl.flock(busy, fcntl.LOCK_EX)
        subprocess.run(
            [_UV, "sync", "--quiet", "--frozen", "--no-dev", "--extra", "accountant"],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            check=True,
            timeout=_INSTALL_S,
        )
    return _HOME / "bin"
