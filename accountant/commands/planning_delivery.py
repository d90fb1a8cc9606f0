"""Where a planning document goes, in which format."""

# Only --help must be quick, so what writing needs is imported when something is written.
# ruff: noqa: PLC0415

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from accountant.commands.delivery import delivered
from accountant.commands.planning_options import Layout

if TYPE_CHECKING:
    from accountant.planning.sheets import Document


def deliver(document: Document, layout: Layout, out: Path | None) -> None:
    """Write a document to stdout, or to files of a directory; CSV has a file for each sheet."""
    from accountant.planning.sheet_files import document_json, sheet_csv
    from accountant.planning.sheet_table import document_table

    stem = f"{document.kind}-{'-'.join(document.periods)}"
    if layout is Layout.CSV:
        sheets = document.sheets if out else document.sheets[:1]
        for place, sheet in enumerate(sheets):
            name = f"{stem}.{sheet.name}.csv" if place else f"{stem}.csv"
            with delivered(out and out / name) as write:
                write(sheet_csv(document, sheet))
        return
    if layout is Layout.JSON:
        with delivered(out and out / f"{stem}.json") as write:
            write(document_json(document))
        return
    to_terminal = out is None and sys.stdout is not None and sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if to_terminal else 80
    with delivered(out and out / f"{stem}.txt") as write:
        write(document_table(document, width, colour=to_terminal))
