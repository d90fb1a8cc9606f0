"""The options of `accountant reconcile`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Layout(StrEnum):
    """How a reconciliation is written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


class TrueUpMethod(StrEnum):
    """How a true-up is shared out."""

    PROPORTIONAL = "proportional"
    UNALLOCATED = "unallocated"


Invoice = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="FILE.csv",
        help="Actual-cost export of Cost Management (EA, MCA), or FOCUS. Repeat for its parts.",
    ),
]
Metrics = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="FILE",
        help="Saved metrics: JSON of a query by day, or CSV of day, resource, deployment, metric, "
        "status, total. Repeat for parts.",
    ),
]
Monitor = Annotated[
    bool, typer.Option("--monitor", help="Ask Azure Monitor for the resources of --map.")
]
WorkspaceId = Annotated[
    str | None,
    typer.Option("--workspace", metavar="GUID", help="Ask the gateway's log in this workspace."),
]
Names = Annotated[
    Path | None,
    typer.Option(
        "--map",
        metavar="FILE.toml",
        help="Azure's names for our backends, deployments and meters. Default: they are the same.",
    ),
]
Tolerance = Annotated[
    str,
    typer.Option(
        "--tolerance-percent",
        metavar="P",
        help="How much of the provider's count a line may leave unexplained, of tokens, requests "
        "and money.",
    ),
]
TrueUpOption = Annotated[
    TrueUpMethod | None,
    typer.Option(
        "--true-up",
        help="Write the difference to the invoice as an entry, by what tenants owe of each meter, "
        "or on one line. Needs --out.",
    ),
]
TemplateFile = Annotated[
    Path | None,
    typer.Option(
        "--template", metavar="FILE.csv", help="Columns of the true-up, as `journal` takes them."
    ),
]
AccountsFiles = Annotated[
    list[Path] | None,
    typer.Option(
        "--accounts", metavar="FILE", help="Accounts of the true-up, as `journal` takes them."
    ),
]
Format = Annotated[Layout, typer.Option("--format", help="How to write it.")]
OutDir = Annotated[
    Path | None, typer.Option("--out", metavar="DIR", help="Write files there, not to stdout.")
]
