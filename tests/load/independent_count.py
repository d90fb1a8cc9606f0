"""What the distinct events come to, counted apart from the product: plain Python over plain JSON.

Compared with a ledger's cells, to the token.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

from tollgate.ledger.cells import LedgerReader, MoneyCell, UserCell
from tollgate.usage.periods import Month

Row = tuple[Any, ...]
Counters = dict[str, tuple[int, int]]  # meter, "requests" too, to quantity and requests

_LIMITS: Final = (32_000, 128_000, 200_000, 272_000, 512_000)
_SKU: Final = (
    "model",
    "model_version",
    "deployment",
    "backend",
    "region",
    "deployment_type",
    "scope",
    "service_tier",
    "provenance",
)


class Count(msgspec.Struct, frozen=True):
    """Counters by row: tenant, hour (or day), billing code (and user), then the SKU's values."""

    money: dict[Row, Counters]
    users: dict[Row, Counters]

    @property
    def requests(self) -> int:
        """All of them."""
        return sum(counters["requests"][0] for counters in self.money.values())

    @property
    def tokens(self) -> int:
        """Of all leaves together."""
        return sum(
            quantity
            for counters in self.money.values()
            for meter, (quantity, _) in counters.items()
            if meter.endswith(("input", "output"))
        )

    def months(self) -> list[str]:
        """Those with a row."""
        return sorted({row[1][:7] for row in self.money})


def counted(raws: Iterable[bytes]) -> Count:
    """Count distinct events without a conflict among them."""
    by_key: defaultdict[tuple[str, str], dict[bool, Any]] = defaultdict(dict)
    for raw in raws:
        event = json.loads(raw)
        key = event["data"]["gateway"], event["id"]
        by_key[key][event["data"].get("completes", False)] = event
    money: defaultdict[Row, Counters] = defaultdict(dict)
    users: defaultdict[Row, Counters] = defaultdict(dict)
    for halves in by_key.values():
        place, usage = halves.get(False) or halves[True], halves.get(True) or halves[False]
        payer, hour, sku = place["data"], place["time"][:13], _sku(usage["data"])
        code, user = payer["billing_code"], payer["user"]
        for meter, quantity in _meters(usage["data"]).items():
            _add(money[payer["tenant"], hour, code, *sku], meter, quantity)
            _add(users[payer["tenant"], hour[:10], code, user, *sku], meter, quantity)
    return Count(dict(money), dict(users))


def read(ledger: LedgerReader, months: Iterable[str]) -> Count:
    """What a ledger holds of some months."""
    money: dict[Row, Counters] = {}
    users: dict[Row, Counters] = {}
    for month in map(Month.parse, months):
        for cell in ledger.money_cells(month):
            place = (cell.tenant, cell.hour, cell.billing_code)
            money[*place, *msgspec.structs.astuple(cell.sku)] = _counters(cell)
        for cell in ledger.user_cells(month):
            place = (cell.tenant, cell.day, cell.billing_code, cell.user)
            users[*place, *msgspec.structs.astuple(cell.sku)] = _counters(cell)
    return Count(money, users)


def differences(expected: Count, found: Count) -> Iterator[str]:
    """Every counter that is not as it should be, in words."""
    for kind in ("money", "users"):
        ours: dict[Row, Counters] = getattr(expected, kind)
        theirs: dict[Row, Counters] = getattr(found, kind)
        for row in sorted({*ours, *theirs}, key=repr):
            left, right = ours.get(row, {}), theirs.get(row, {})
            for meter in sorted({*left, *right}):
                if left.get(meter) != right.get(meter):
                    yield f"{kind} {row} {meter}: {right.get(meter)}, not {left.get(meter)}"


def _add(counters: Counters, meter: str, quantity: int) -> None:
    before, requests = counters.get(meter, (0, 0))
    counters[meter] = before + quantity, requests + 1


def _sku(data: dict[str, Any]) -> Row:
    tokens = data["tokens"]
    band = None if tokens is None else _band(tokens["input"])
    return (*(data.get(name) for name in _SKU), band)


def _band(given: int) -> str:
    low = 0
    for limit in _LIMITS:
        if given <= limit:
            return f"{low}-{limit}"
        low = limit
    return f"{low}+"


def _meters(data: dict[str, Any]) -> dict[str, int]:
    """The request itself, and each disjoint part of what it used."""
    tokens: dict[str, int | None] = data["tokens"] or {}
    parts = {name: count or 0 for name, count in tokens.items()}
    given, made = parts.pop("input", 0), parts.pop("output", 0)
    inner_audio = parts.get("cached_audio_input", 0)
    inner_image = parts.get("cached_image_input", 0)
    for whole, inner in (
        ("cached_input", inner_audio + inner_image),
        ("audio_input", inner_audio),
        ("image_input", inner_image),
    ):
        parts[whole] = parts.get(whole, 0) - inner
    inputs = sum(count for name, count in parts.items() if name.endswith("_input"))
    outputs = sum(count for name, count in parts.items() if name.endswith("_output"))
    every = {**parts, "input": given - inputs, "output": made - outputs, **data.get("units", {})}
    used = {name: count for name, count in every.items() if count}
    if "reasoning_output" in used:
        used.setdefault("output", 0)  # reasoning is output
    return {"requests": 1, **used}


def _counters(cell: MoneyCell | UserCell) -> Counters:
    usage = cell.usage
    meters = {name: (each.quantity, each.requests) for name, each in usage.meters.items()}
    return {"requests": (usage.requests, usage.requests), **meters}
