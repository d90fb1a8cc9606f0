"""An example or two of every command, as its help shows them."""

from __future__ import annotations

from typing import Final

import typer

EXAMPLES: Final[dict[str, tuple[str, ...]]] = {
    "report": ("report 2026-10", "report 2026-10 --by tenant,model --format csv --out reports"),
    "audit": (
        "audit 2026-10 --archive archive",
        "audit 2026-10 --archive archive --ids --tenant contoso --meter output",
    ),
    "rebuild": ("rebuild --archive archive --dry-run", "rebuild --archive archive"),
    "focus": ("focus 2026-10 --version 1.2 --out focus",),
    "journal": ("journal 2026-10 --accounts accounts.toml --out journal-2026-10.csv",),
    "export": ("export 2026-10 --out tables",),
    "close": ("close 2026-10 --by ada --books books",),
    "status": ("status --books books",),
    "reconcile": ("reconcile 2026-10 --invoice invoice.csv",),
    "compare": ("compare 2026-09 2026-10 --by tenant --same-days",),
    "forecast": ("forecast 2026-11 --as-of 2026-11-15",),
    "anomalies": ("anomalies 2026-10 --min-impact 25",),
    "budget": ("budget 2026-10 --budgets budgets.csv",),
    "economics": ("economics 2026-10 --by model --ptu-usd-per-hour 1.00",),
    "costs show": ("costs show costs.toml --at 2026-10-01",),
    "costs check": ("costs check costs.toml",),
    "rates show": ("rates show --model gpt-4o-mini", "rates show --at 2026-10-01 --format csv"),
    "rates check": ("rates check rates/2026.toml rates/discounts.toml",),
    "rates import": ("rates import genai-prices data.json --out drafts.toml",),
    "rates drift": ("rates drift data.json --rates rates",),
}


def show_examples(app: typer.Typer, above: str = "") -> None:
    """Put the examples below the help of an app's commands, and of its groups'.

    Args:
        app: With all of its commands.
        above: What is typed before their names.
    """
    for command in app.registered_commands:
        name = command.name or getattr(command.callback, "__name__", "")
        command.epilog = _epilog(EXAMPLES.get(f"{above}{name}", ()))
    for group in app.registered_groups:
        if group.typer_instance is not None:
            show_examples(group.typer_instance, f"{above}{group.name} ")


def _epilog(examples: tuple[str, ...]) -> str | None:
    """One a line, which help does not fill up."""
    lines = [f"  accountant {example}" for example in examples]
    return "\n".join(["\b", "Examples:", *lines]) if lines else None
