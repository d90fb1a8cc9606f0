"""How the commands say what went wrong, and how they exit."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import typer

from accountant.errors import BooksError, CloseRefused, CostsError, NoSuchTenant, RateCardError
from tollgate.errors import SettingsError, TollgateError
from tollgate.usage.periods import Month

ANSWER_IS_NO: Final = 1
BAD_INPUT: Final = 2


@contextmanager
def told_problems() -> Generator[None]:
    """Say what went wrong, a line a problem, and exit as the contract says."""
    try:
        yield
    except NoSuchTenant as error:
        say(str(error))
        raise typer.Exit(ANSWER_IS_NO) from None
    except CloseRefused as error:
        for reason in error.reasons:
            say(reason)
        _print(error.waivers)
        raise typer.Exit(ANSWER_IS_NO) from None
    except (BooksError, CostsError, RateCardError, SettingsError) as error:
        for problem in error.problems:
            say(problem)
        raise typer.Exit(BAD_INPUT) from None
    except TollgateError as error:
        say(str(error))
        raise typer.Exit(BAD_INPUT) from None


def _print(text: str) -> None:
    """Write to stdout, or say why it cannot be written."""
    from accountant.commands.delivery import delivered  # noqa: PLC0415  it says problems, too

    with told_problems(), delivered(None) as write:
        write(text)


def say(line: str) -> None:
    """Say something beside the answer, in one line that draws nothing on a terminal."""
    from accountant.labels import shown  # noqa: PLC0415  help must be quick

    typer.echo(f"accountant: {shown(line)}", err=True)


def read_month(text: str) -> Month:
    """The month that was typed.

    Raises:
        SettingsError: It is none.
    """
    try:
        return Month.parse(text)
    except ValueError as error:
        raise SettingsError([str(error)]) from None


def read_url(url: str | None) -> str:
    """The ledger's URL as typed, or the environment's.

    Raises:
        SettingsError: There is neither.
    """
    if url:
        return url
    from tollgate.environment import redis_url  # noqa: PLC0415  help must be quick

    where = redis_url()
    if not where:
        raise SettingsError(
            ["which ledger? Set TOLLGATE_REDIS_URL, or give --redis-url redis://HOST:PORT/0"]
        )
    return where


def read_books(folder: Path | None) -> Path | None:
    """The folder of the books as typed, or the environment's; None: there are none."""
    from tollgate.environment import books_path  # noqa: PLC0415  help must be quick

    return folder or books_path()


def read_journal(folder: Path | None) -> Path | None:
    """The folder of a gateway's journal as typed, or the environment's; None: nobody said."""
    from tollgate.environment import journal_path  # noqa: PLC0415  help must be quick

    return folder or journal_path()
