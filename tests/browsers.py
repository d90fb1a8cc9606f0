"""Opens pages in Debian's Chromium, without a window; needs `chromium` on the PATH."""

from __future__ import annotations

import subprocess
from pathlib import Path

import msgspec
from pypdf import PdfReader

_SECONDS = 120
# As root, and in a container, Chromium's own sandbox does not start; the pages are ours.
_OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
    *("--disable-background-networking", "--disable-component-update", "--no-first-run"),
    *("--enable-logging=stderr", "--no-pdf-header-footer"),
)


class Opened(msgspec.Struct):
    """What a browser made of a page.

    Args:
        dom: The elements as they were at the end.
        text: What can be read on the printed page.
        console: What the browser complained of.
    """

    dom: str
    text: str
    console: list[str]


def opened(page: Path) -> Opened:
    """Open a page in the browser, and print it."""
    printed = page.with_suffix(".printed.pdf")
    dom, first = _run(page, "--dump-dom")
    _, second = _run(page, f"--print-to-pdf={printed}")
    text = "\n".join(each.extract_text() for each in PdfReader(printed).pages)
    complaints = [line for line in (first + second).splitlines() if "CONSOLE" in line]
    return Opened(dom=dom, text=text, console=complaints)


def _run(page: Path, what: str) -> tuple[str, str]:
    folder = f"--user-data-dir={page.parent / 'browser'}"
    command = ["chromium", *_OPTIONS, folder, what, page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=True)
    return done.stdout, done.stderr
