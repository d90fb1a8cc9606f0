"""What a command reads: the ledger behind a URL, the rate card and the costs in paths."""

# Only --help must be quick, so what opening needs is imported when something is opened.
# ruff: noqa: PLC0415

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from accountant.commands.problems import read_url
from tollgate.errors import SettingsError

if TYPE_CHECKING:
    from accountant.costs.cost_files import Costs
    from accountant.kept_aside import Ledger
    from accountant.rate_cards.rate_card import RateCard


def open_card(path: Path | None) -> RateCard:
    """The rate card of a file or directory; without a path, the list prices that are shipped.

    Raises:
        RateCardError: It is none.
    """
    from accountant.rate_cards.rate_files import SHIPPED_RATES, load_rate_card

    return load_rate_card(path or SHIPPED_RATES)


def open_costs(path: Path | None, currency: str | None) -> Costs | None:
    """The fixed costs of a file or directory, with the books in a currency; None: neither is asked.

    Raises:
        CostsError: They are none.
        SettingsError: There is no such currency.
    """
    if path is None and currency is None:
        return None
    from msgspec.structs import replace

    from accountant.costs.cost_files import Costs, load_costs
    from accountant.rate_cards.currencies import CURRENCIES

    if currency is not None and currency not in CURRENCIES:
        raise SettingsError([f"--currency: {currency!r} is no currency of ISO 4217, as EUR is"])
    costs = load_costs(path) if path else Costs()
    return replace(costs, currency=currency or costs.currency)


@contextmanager
def open_ledger(url: str | None) -> Generator[Ledger]:
    """The ledger behind a URL, or behind the environment's.

    Raises:
        SettingsError: There is no URL, or it is none.
    """
    from tollgate.connections.redis import open_redis_sync
    from tollgate.ledger.generation import current_reader

    where = read_url(url)
    try:
        redis = open_redis_sync(where)
    except ValueError as error:
        raise SettingsError([str(error)]) from None
    with redis:
        yield current_reader(redis)
