"""`tollgate demo`: the whole way once, from SDK calls to the month's statement."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import msgspec
from rich.console import Console

from tollgate.composition import utc_now
from tollgate.local.demo_calls import send_calls
from tollgate.local.http import LocalSite, serving_gateway
from tollgate.local.simulator.faults import Throttle
from tollgate.local.simulator.region import SimulatedRegion
from tollgate.local.stack import local_stack
from tollgate.settings import Environment, read_environment
from tollgate.usage.periods import Month

CALLS: Final = 140
_AT_ONCE: Final = 8
_PATIENCE_S: Final = 20.0


class Count(msgspec.Struct, frozen=True):
    """Requests and tokens, as one side of the pipeline sees them."""

    requests: int
    tokens: int


async def demo(calls: int = CALLS) -> bool:
    """Run it in a folder of its own, and print the statement.

    Returns:
        Whether every request is one event, and the tokens sent are the tokens billed.
    """
    console = _Console(highlight=False)
    with tempfile.TemporaryDirectory(prefix="tollgate-demo-") as folder:
        environment = _clean_environment(Path(folder))
        started = utc_now()
        async with local_stack(environment, Path(folder)) as stack:
            app = LocalSite(stack.runtime)
            async with serving_gateway(app, 0) as url:
                console.print(f"{calls} calls by the openai SDK to {url}, three regions behind it")
                await send_calls(url, calls, _AT_ONCE, lambda: _throttle(stack.regions[0], console))
            sent = _sent(stack.regions)
            months = _months(started)
            billed = await _wait_for_ledger(stack.redis_url, months, sent)
            for month in months:
                await _accountant(stack.redis_url, month, "table", show=True)
    return _conclude(console, calls, sent, billed)


class _Console(Console):
    """When nobody reads any more, the demo goes on without words, and cleans up as always."""

    def on_broken_pipe(self) -> None:
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _clean_environment(folder: Path) -> Environment:
    return read_environment({}).model_copy(update={"journal": folder / "journal"})


def _throttle(region: SimulatedRegion, console: Console) -> None:
    region.faults.add(Throttle(retry_after_s=60))
    console.print(f"half way: {region.settings.name} answers 429 to everything from now on")


def _sent(regions: Iterable[SimulatedRegion]) -> Count:
    """What the regions served, by their own logs."""
    used = [entry.usage for region in regions for entry in region.log if entry.usage]
    return Count(len(used), sum(int(str(usage["total_tokens"])) for usage in used))


def _months(started: Any) -> list[Month]:
    """The month of the demo; two of them in the last seconds of one."""
    spans = {(time.year, time.month) for time in (started, utc_now())}
    return [Month(*span) for span in sorted(spans)]


async def _wait_for_ledger(redis_url: str, months: list[Month], sent: Count) -> Count:
    """Poll the accountant until it sees as many requests as were served, or patience ends."""
    deadline_s = asyncio.get_running_loop().time() + _PATIENCE_S
    while True:
        billed = _total([await _accountant(redis_url, month, "json") for month in months])
        late = asyncio.get_running_loop().time() > deadline_s
        if billed.requests >= sent.requests or late:
            return billed
        await asyncio.sleep(0.2)


def _total(reports: list[bytes]) -> Count:
    requests, tokens = 0, 0
    for raw in reports:
        report: dict[str, Any] = msgspec.json.decode(raw)
        requests += report["coverage"]["requests"]
        lines = [*report["lines"], *report["unpriced"]]
        tokens += sum(line["quantity"] for line in lines if line["unit"] == "token")
    return Count(requests, tokens)


async def _accountant(redis_url: str, month: Month, form: str, *, show: bool = False) -> bytes:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "accountant", "report", str(month), "--format", form),
        env={**os.environ, "TOLLGATE_REDIS_URL": redis_url, "TOLLGATE_BOOKS": ""},
        stdout=None if show else asyncio.subprocess.PIPE,
        stderr=None if show else asyncio.subprocess.DEVNULL,
    )
    try:
        output, _ = await process.communicate()
    except asyncio.CancelledError:
        with suppress(ProcessLookupError):  # it has just ended
            process.kill()
        await process.wait()
        raise
    return output or b""


def _conclude(console: Console, calls: int, sent: Count, billed: Count) -> bool:
    agrees = calls == sent.requests == billed.requests and sent.tokens == billed.tokens
    sign = "=" if sent.tokens == billed.tokens else "≠"
    console.print(
        f"{calls} requests sent, {billed.requests} events counted, "
        f"{sent.tokens:,} tokens sent {sign} {billed.tokens:,} tokens billed",
        style="bold green" if agrees else "bold red",
    )
    return agrees
