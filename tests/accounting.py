"""Builds what the accountant's tests speak of: rates, cells, and a ledger of events."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
from builders import usage_data

from accountant.charges import Cell
from accountant.commands.charge_reader import ChargeReader
from accountant.costs.cost_files import load_costs
from accountant.costs.month_books import month_books
from accountant.rate_cards.price_rules import PriceRule
from accountant.rate_cards.rate_card import Rate, RateCard
from accountant.rate_cards.rate_files import load_rate_card
from tollgate.connections.redis import open_redis, open_redis_sync
from tollgate.ledger.cells import LedgerReader, Meter, MoneyCell, Usage, UserCell
from tollgate.ledger.memory_ledger import MemoryLedger
from tollgate.ledger.redis_ledger import RedisLedger
from tollgate.usage.event import UsageEvent, decode_event, encode_event
from tollgate.usage.periods import Month
from tollgate.usage.sku import Sku, sku_of

OCTOBER = Month(2026, 10)
DAY = date(2026, 10, 15)


def sku(**changes: Any) -> Sku:
    """The SKU of `builders.usage_data`."""
    return msgspec.structs.replace(sku_of(usage_data()), **changes)


def used(quantity: int = 1000, requests: int = 1, meter: str = "input") -> Usage:
    """Usage of one meter."""
    return Usage(requests, {meter: Meter(quantity, requests)})


def money_cell(**changes: Any) -> MoneyCell:
    """A thousand input tokens of contoso's CC-1001."""
    cell = MoneyCell(
        tenant="contoso", hour="2026-10-15T12", billing_code="CC-1001", sku=sku(), usage=used()
    )
    return msgspec.structs.replace(cell, **changes)


def user_cell(**changes: Any) -> UserCell:
    """The same by alice."""
    cell = UserCell(
        tenant="contoso",
        day="2026-10-15",
        billing_code="CC-1001",
        user="alice",
        sku=sku(),
        usage=used(),
    )
    return msgspec.structs.replace(cell, **changes)


def rate(price: str = "0.15", **changes: Any) -> Rate:
    """The price of a million input tokens of gpt-4o-mini, since 2026."""
    made = Rate(
        model="gpt-4o-mini",
        meter="input",
        unit_price=Decimal(price),
        per=1_000_000,
        currency="USD",
        effective_from=date(2026, 1, 1),
    )
    return msgspec.structs.replace(made, **changes)


def rule(percent: str = "10", **changes: Any) -> PriceRule:
    """A discount for everyone, since 2026."""
    made = PriceRule(
        kind="discount",
        name="EA",
        percent=Decimal(percent),
        effective_from=date(2026, 1, 1),
        source="agreement 4711",
    )
    return msgspec.structs.replace(made, **changes)


def card(*rates: Rate) -> RateCard:
    """These rates; without any, those of gpt-4o-mini."""
    return RateCard(
        rates or (rate(), rate("0.075", meter="cached_input"), rate("0.60", meter="output"))
    )


def ledger_of(events: Iterable[UsageEvent]) -> MemoryLedger:
    """A ledger that has counted these events."""
    ledger = MemoryLedger()
    received = [decode_event(encode_event(event)) for event in events]
    asyncio.run(ledger.apply(received, now=OCTOBER.end))
    return ledger


def apply_on_redis(url: str, events: Iterable[UsageEvent]) -> None:
    """Count events in the ledger on a Redis, beside what is in it."""

    async def apply() -> None:
        async with open_redis(url) as redis:
            received = [decode_event(encode_event(each)) for each in events]
            await RedisLedger(redis).apply(received, now=OCTOBER.end)

    asyncio.run(apply())


def empty_redis(url: str) -> str:
    """Empty the database that `url` names, and give the URL back."""
    with open_redis_sync(url) as redis:
        redis.flushdb()  # pyright: ignore[reportUnknownMemberType]  types of redis-py
    return url


def month_cells(ledger: LedgerReader, month: Month, by: Sequence[str]) -> list[Cell]:
    """The cells that a report by these fields is made of."""
    return list(ledger.user_cells(month) if "user" in by else ledger.money_cells(month))


def golden_reader(folder: Path) -> ChargeReader:
    """The books of a golden month: its events as they were delivered, its rates and its costs."""
    month, ledger = Month.parse(folder.name), MemoryLedger()
    lines = (folder / "events.jsonl").read_bytes().splitlines()
    asyncio.run(ledger.apply([decode_event(line) for line in lines], now=month.end))
    prices, costs = load_rate_card(folder / "rates.toml"), folder / "costs.toml"
    books = month_books(load_costs(costs), month, ledger, prices) if costs.exists() else None
    return ChargeReader(month, ledger, prices, books=books)
