"""Items and causes in words, for people."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from accountant.labels import label, shown
from accountant.money import EXACT, plain
from accountant.reconciliation.differences import Line
from accountant.reconciliation.items import Item, Source, Target

SOURCES: Final[dict[Source, str]] = {
    "metrics": "Azure Monitor",
    "log": "the gateway's log",
    "invoice": "the invoice",
}
_PER: Final = 1_000_000
_ENOUGH: Final = Decimal("1E-6")


def item_words(item: Item) -> str:
    """An item in one line."""
    return " ".join(part for part in (item.backend or "", offer_words(item), item.meter) if part)


def offer_words(item: Item) -> str:
    """The deployment, or the model as it is offered; with nothing a source cannot tell."""
    tier = None if item.service_tier == "default" else item.service_tier
    offer = (item.model_version, item.scope, item.deployment_type, tier)
    names = (item.deployment, item.model, *(offer if item.model else ()))
    return shown(" ".join(name.replace("_", " ") for name in names if name))


def target_words(target: Target | None) -> tuple[str, str]:
    """The backend, and the deployment or model."""
    if target is None:
        return "total", ""
    backend, deployment, model = target
    return label("backend", backend) if backend else "", shown(deployment or model or "")


def meter_words(meter: str) -> str:
    """A meter."""
    return shown(meter.replace("_", " "))


def quantity_cause_words(line: Line) -> str:
    """What explains a difference in quantity."""
    return "; ".join(
        f"{meter_words(cause.kind)} {cause.quantity:+,}" for cause in line.causes if cause.quantity
    )


def money_cause_words(line: Line) -> str:
    """What explains a difference in money; and the prices, where only these differ."""
    told = [
        f"{meter_words(cause.kind)} {signed(rounded_for_people(cause.amount))}"
        for cause in line.causes
        if cause.amount
    ]
    prices = price_words(line)
    return "; ".join([*told, prices] if prices else told)


def price_words(line: Line) -> str:
    """What the rate card lacks; or both prices of a million, if all else agrees."""
    if line.unpriced:
        return f"no rate for {line.unpriced:,}"
    if not line.unexplained_amount or line.unexplained:
        return ""
    ours, theirs = (
        _price(amount, quantity)
        for amount, quantity in (
            (line.ledger_amount, line.ledger),
            (line.provider_amount, line.provider),
        )
    )
    return f"price/1M {ours} here, {theirs} there" if ours and theirs else ""


def rounded_for_people(amount: Decimal | None) -> Decimal:
    """Six decimals, which a table has room for; the files have all of them."""
    return (amount or Decimal(0)).quantize(_ENOUGH)


def signed(amount: Decimal) -> str:
    """With its sign, and without zeros that say nothing."""
    return f"+{plain(amount)}" if amount > 0 else plain(amount) if amount else "0"


def _price(amount: Decimal | None, quantity: int | None) -> str:
    if amount is None or not quantity:
        return ""
    each = EXACT.multiply(amount, Decimal(_PER)) / Decimal(quantity)
    return plain(each.quantize(_ENOUGH))
