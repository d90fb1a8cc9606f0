"""focus-validator 1.0.0, in an environment of its own under build/, at the versions of its lock."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
_LOCK: Final = Path(__file__).with_name("focus_validator.lock")
_HOME: Final = ROOT / "build/focus-validator"
_UV: Final = ROOT / ".tools/uv/bin/uv"
_INSTALL_S: Final = 600
_RUN_S: Final = 120


def validated(path: Path) -> str:
    """What the validator says of a CSV file of FOCUS 1.0.

    Its exit code is 0 whatever it finds, so what it says is all there is.
    """
    install_validator()
    # It reads its list of currencies by a path relative to this folder.
    (folder,) = _HOME.glob("lib/python*/site-packages")
    command = [_HOME / "bin/focus-validator", "--data-file", path, "--validate-version", "1.0"]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=_RUN_S, check=True
    )
    return done.stdout


def install_validator() -> None:
    """Install it, unless what is there is what the lock says; one at a time."""
    _HOME.parent.mkdir(exist_ok=True)
    with _HOME.with_suffix(".busy").open("w") as busy:
        fcntl.flock(busy, fcntl.LOCK_EX)
        mark = _HOME / "installed"
        if not mark.exists() or mark.read_text() != _LOCK.read_text():
            shutil.rmtree(_HOME, ignore_errors=True)
            _uv("venv", "--quiet", "--python", "3.11", str(_HOME))
            python = ("--python", str(_HOME / "bin/python"))
            _uv("pip", "sync", "--quiet", "--require-hashes", *python, str(_LOCK))
            mark.write_text(_LOCK.read_text())


def _uv(*arguments: str) -> None:
    subprocess.run([_UV, *arguments], capture_output=True, check=True, timeout=_INSTALL_S)
