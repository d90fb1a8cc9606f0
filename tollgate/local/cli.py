"""The `tollgate` command."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Final, NoReturn

import typer

from tollgate.errors import SettingsError, TollgateError
from tollgate.local.dead_letters_cli import list_dead_letters, replay, show
from tollgate.local.terminal import conclude
from tollgate.settings import load_settings, not_enforced, read_environment

_PLAIN: Final[dict[str, Any]] = {
    "no_args_is_help": True,
    "pretty_exceptions_enable": False,
    "add_completion": False,
    "rich_markup_mode": None,  # plain help shows at once
}
app: Final = typer.Typer(
    name="tollgate",
    help="Meter calls to Azure OpenAI and count their tokens in the ledger.\n\n"
    "To price them, see: accountant --help. Exit codes: 0 done, 1 the answer is no, 2 bad usage or"
    " input.",
    **_PLAIN,
)
dead_letters_app: Final = typer.Typer(
    help="Look at events that were refused, and send them again.", **_PLAIN
)
config_app: Final = typer.Typer(help="Look at the settings.", **_PLAIN)
dead_letters_app.command("list")(list_dead_letters)
dead_letters_app.command()(show)
dead_letters_app.command()(replay)
app.add_typer(dead_letters_app, name="dead-letters")
app.add_typer(config_app, name="config")


def main() -> None:
    """Run the command line."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    with _plain_errors():
        app()


Strict = Annotated[
    bool, typer.Option("--strict", help="Refuse a Redis that may lose usage; else it is a warning.")
]


@app.command()
def serve(
    port: Annotated[
        int,
        typer.Option(min=0, max=65535, metavar="PORT", help="The gateway's; 0 for any free one."),
    ] = 7071,
    data: Annotated[
        Path, typer.Option(metavar="DIR", help="Where ledger, journal and archive are.")
    ] = Path("data"),
    strict: Strict = False,  # noqa: FBT002  typer's way to write a flag
) -> None:
    """Run the whole pipeline on this machine, until Ctrl+C.

    That is the gateway, simulated regions, Event Grid delivery and the ledger. TOLLGATE_CONFIG
    names a tollgate.yaml with real backends, TOLLGATE_REDIS_URL another ledger.
    """
    from tollgate.local.serve import serve as run  # noqa: PLC0415  help must not load servers

    asyncio.run(run(read_environment(), data, port, strict=strict))


@app.command()
def gateway(
    host: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Where to listen; 0.0.0.0 for everywhere.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, metavar="PORT", help="0 for any free one.")
    ] = 7071,
) -> None:
    """Run the gateway alone, until Ctrl+C.

    TOLLGATE_CONFIG names tollgate.yaml, TOLLGATE_JOURNAL the journal's folder and
    EVENTGRID_TOPIC_ENDPOINT the topic. With TOLLGATE_REDIS_URL, instances share what they know of
    the regions and of stored responses. A change of tollgate.yaml is taken over at once.
    """
    import uvloop  # noqa: PLC0415  help must not load servers

    from tollgate.local.gateway import serve_gateway as run  # noqa: PLC0415  same

    uvloop.run(run(read_environment(), host, port))


@app.command()
def demo() -> None:
    """Run the whole pipeline once, and print the statement."""
    from tollgate.local.demo import demo as run  # noqa: PLC0415  help must not load servers
    from tollgate.local.ending import run_to_its_end  # noqa: PLC0415  same

    sys.exit(0 if run_to_its_end(run()) else 1)


@app.command()
def ingest(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE",
            help="JSON Lines, JSON, or Avro of Event Hubs Capture; - for standard input.",
        ),
    ],
    batch_size: Annotated[
        int, typer.Option(min=1, metavar="N", help="How many events to apply at once.")
    ] = 500,
    strict: Strict = False,  # noqa: FBT002  same
) -> None:
    """Count the usage events of files in the ledger.

    They go the way of delivered ones. An event that was counted before is not counted again. What
    is refused is kept as dead letters, and the exit code is 1. Needs TOLLGATE_REDIS_URL; with
    TOLLGATE_ARCHIVE, events are archived first.
    """
    from tollgate.local.ingest import ingest as run  # noqa: PLC0415  help must not load clients

    conclude(asyncio.run(run(read_environment(), files, batch_size, strict=strict)))


@app.command()
def seal(
    archive: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Default: what TOLLGATE_ARCHIVE names.")
    ] = None,
) -> None:
    """Seal the archive's past hours in its manifest.

    These are those that ended two hours ago. `accountant audit` then finds what is changed, removed
    or put in afterwards. Run it every hour.
    """
    from tollgate.composition import utc_now  # noqa: PLC0415  help must not load clients
    from tollgate.ledger.manifest import seal as run  # noqa: PLC0415  same

    folder = archive or read_environment().archive
    if folder is None:
        raise SettingsError(["which archive? Set TOLLGATE_ARCHIVE, or give --archive DIR"])
    entries = run(folder, utc_now())
    events = sum(entry.lines for entry in entries)
    typer.echo(f"{len(entries)} entries added to the manifest, of {events} events")


@config_app.command()
def check(
    path: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE", help="Default: what TOLLGATE_CONFIG names, else tollgate.yaml."
        ),
    ] = None,
) -> None:
    """Say what is wrong in tollgate.yaml, all of it, or that it is good."""
    path = path or read_environment().config or Path("tollgate.yaml")
    settings = load_settings(path)
    backends, tenants = len(settings.backends), len(settings.tenants)
    typer.echo(f"{path} is good; backends: {backends}, tenants: {tenants}")
    for notice in not_enforced(settings):
        typer.echo(f"note: {notice}")


@contextmanager
def _plain_errors() -> Generator[None]:
    """What a user can mend becomes a line, not a traceback."""
    try:
        yield
    except SettingsError as error:
        _fail(*error.problems)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("tollgate"):
            raise
        _fail(f"this command needs the package {error.name}; install tollgate[local]")
    except TollgateError as error:
        _fail(str(error))
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        _fail(f"{place}{error.strerror or error}")


def _fail(*problems: str) -> NoReturn:
    for problem in problems:
        typer.echo(f"tollgate: {' '.join(problem.split())}", err=True)
    sys.exit(2)
