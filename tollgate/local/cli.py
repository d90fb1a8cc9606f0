"""The `tollgate` command."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table

from tollgate.errors import SettingsError, TollgateError
from tollgate.settings import load_settings, read_environment

app: Final = typer.Typer(
    name="tollgate",
    help="Token accounting for Azure OpenAI: the gateway's side. See also: accountant.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
dead_letters_app: Final = typer.Typer(
    help="What was refused, and why.", no_args_is_help=True, pretty_exceptions_enable=False
)
config_app: Final = typer.Typer(
    help="The settings.", no_args_is_help=True, pretty_exceptions_enable=False
)
app.add_typer(dead_letters_app, name="dead-letters")
app.add_typer(config_app, name="config")


def main() -> None:
    """Run the command line."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    with _plain_errors():
        app()


@app.command()
def serve(
    port: Annotated[int, typer.Option(help="The gateway's port; 0 for any free one.")] = 7071,
    data: Annotated[Path, typer.Option(help="Where ledger, journal and archive are kept.")] = Path(
        "data"
    ),
) -> None:
    """Run gateway, simulated regions, Event Grid delivery and ledger on this machine.

    TOLLGATE_CONFIG names a tollgate.yaml with real backends; TOLLGATE_REDIS_URL another ledger.
    """
    from tollgate.local.serve import serve as run  # noqa: PLC0415  help must not load servers

    asyncio.run(run(read_environment(), data, port))


@app.command()
def demo() -> None:
    """Run the whole pipeline once: SDK calls, failover, events, ledger, statement."""
    from tollgate.local.demo import demo as run  # noqa: PLC0415  help must not load servers

    sys.exit(0 if asyncio.run(run()) else 1)


@app.command()
def ingest(
    files: Annotated[list[str], typer.Argument(help="JSON Lines files; - for standard input.")],
    batch_size: Annotated[int, typer.Option(min=1, help="Events a batch.")] = 500,
) -> None:
    """Apply CloudEvents from files, as the triggers do; doing it twice changes nothing."""
    from tollgate.local.ingest import ingest as run  # noqa: PLC0415  help must not load clients

    counts = asyncio.run(run(read_environment(), files, batch_size))
    typer.echo(", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items())))


@dead_letters_app.command("list")
def list_dead_letters() -> None:
    """List what was refused: id, time, source, reason."""
    from tollgate.local.dead_letters import all_letters  # noqa: PLC0415  as above

    table = Table("id", "received", "source", "reason", "bytes")
    for letter in asyncio.run(all_letters(read_environment())):
        received = letter.received.isoformat(timespec="seconds")
        row = (letter.id, received, letter.source, letter.reason, str(len(letter.body)))
        table.add_row(*(_printable(cell) for cell in row))
    Console().print(table)


@dead_letters_app.command()
def show(letter_id: Annotated[str, typer.Argument(help="The id, as `list` shows it.")]) -> None:
    """Print the bytes of one dead letter as they came."""
    from tollgate.local.dead_letters import find_letter  # noqa: PLC0415  as above

    sys.stdout.buffer.write(asyncio.run(find_letter(read_environment(), letter_id)).body + b"\n")


@dead_letters_app.command()
def replay() -> None:
    """Send all dead letters through the intake again; those that are taken leave the list."""
    from tollgate.local.dead_letters import replay_all  # noqa: PLC0415  as above

    counts = asyncio.run(replay_all(read_environment()))
    typer.echo(", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items())) or "0")


@config_app.command()
def check(path: Annotated[Path, typer.Argument(help="The file.")] = Path("tollgate.yaml")) -> None:
    """Print every problem of tollgate.yaml at once."""
    settings = load_settings(path)
    typer.echo(f"{path}: good: {len(settings.backends)} backends, {len(settings.tenants)} tenants")


@contextmanager
def _plain_errors() -> Generator[None]:
    """Errors that are ours become lines, not tracebacks."""
    try:
        yield
    except SettingsError as error:
        for problem in error.problems:
            typer.echo(f"tollgate: {problem}", err=True)
        sys.exit(2)
    except TollgateError as error:
        typer.echo(f"tollgate: {error}", err=True)
        sys.exit(2)


def _printable(text: str) -> str:
    """Text from outside, with nothing in it that a terminal or Rich would obey."""
    return "".join(c if c.isprintable() else "?" for c in text).replace("[", r"\[")
