"""The `accountant` command."""

from __future__ import annotations

from typing import Annotated

import typer

from accountant.commands.anomalies_cli import anomalies
from accountant.commands.archive_commands import audit, rebuild
from accountant.commands.budget_cli import budget
from accountant.commands.close_cli import close
from accountant.commands.compare_cli import compare
from accountant.commands.costs_cli import costs_app
from accountant.commands.economics_cli import economics
from accountant.commands.examples import show_examples
from accountant.commands.export_cli import export
from accountant.commands.focus_cli import focus
from accountant.commands.forecast_cli import forecast
from accountant.commands.journal_cli import journal
from accountant.commands.rates_cli import rates_app
from accountant.commands.reconcile_cli import reconcile
from accountant.commands.report_cli import report
from accountant.commands.status_cli import status

app = typer.Typer(
    name="accountant",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help shows three times as fast
)
app.add_typer(rates_app, name="rates")
app.add_typer(costs_app, name="costs")


def _show_version(is_asked: bool) -> None:  # noqa: FBT001  typer calls it with the flag
    if is_asked:
        from importlib.metadata import version  # noqa: PLC0415  help must be quick

        typer.echo(f"accountant {version('tollgate')}")
        raise typer.Exit


@app.callback()
def accountant(
    version: Annotated[  # noqa: FBT002  typer's way to write a flag
        bool,
        typer.Option(
            "--version", help="Say which version it is.", is_eager=True, callback=_show_version
        ),
    ] = False,
) -> None:
    """From the ledger's usage to what each team owes.

    Exit codes: 0 done, 1 the answer is no, 2 bad usage or input.
    """


for command in (report, close, status, reconcile, audit, rebuild, focus, journal, export):
    app.command()(command)
for command in (compare, forecast, anomalies, budget, economics):
    app.command()(command)
show_examples(app)


def main() -> None:
    """Run the command that was typed."""
    app()
