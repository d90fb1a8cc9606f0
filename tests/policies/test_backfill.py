"""From a streamed call through the gateway, by its log, to the ledger: what the region billed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from ledgers import Ledger, redis_ledger
from log_workspace import WORKSPACE_ID, LogWorkspace, logged, serving_logs
from policies.behind import MINI
from policies.comparing import both_surfaces
from policies.evaluator import Evaluator
from policies.world import PolicyWorld, Surface, policy_world

from tollgate.backfill_parts import WorkspaceLogs
from tollgate.connections.log_analytics import Workspace
from tollgate.connections.redis import open_redis
from tollgate.events.awaited import AwaitedEvents
from tollgate.events.backfill import Deployed, Direct
from tollgate.events.backfilling import Backfill, Done
from tollgate.events.dead_letters import RedisDeadLetters
from tollgate.events.intake import Intake
from tollgate.ledger.cells import MoneyCell
from tollgate.metrics import Metrics
from tollgate.usage.event import UsageEvent, encode_event
from tollgate.usage.periods import Month

pytest_plugins = ["servers"]

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
STANDARD = Deployed(model=MINI, version="2024-07-18", deployment_type="standard", scope="regional")
DIRECT = Direct(
    gateway="gw-weu", apis=("openai",), tenants={"sub-42": "contoso"}, deployments={MINI: STANDARD}
)


class Books:
    """Intake, backfill and ledger, on one Redis; and the log that the backfill asks."""

    def __init__(
        self, log: LogWorkspace, logs: WorkspaceLogs, awaited: AwaitedEvents, intake: Intake
    ) -> None:
        self.log = log
        self._made: list[UsageEvent] = []
        self._intake = intake
        self.backfill = Backfill(logs, awaited, self._made.append, DIRECT, Metrics())

    async def take(self, event: UsageEvent) -> dict[str, int]:
        """Delivers the gateway's event."""
        raw = encode_event(event)
        return await self._intake.take([raw], source="topic", now=event.time + MINUTE)

    async def take_made(self, of: UsageEvent) -> dict[str, int]:
        """Delivers what the backfill has made."""
        raws = [encode_event(each) for each in self._made]
        return await self._intake.take(raws, source="journal", now=of.time + DAY)


@pytest.fixture
async def ledger(redis_server: str) -> AsyncIterator[Ledger]:
    async with redis_ledger(redis_server) as made:
        yield made


@pytest.fixture
async def books(redis_server: str, ledger: Ledger) -> AsyncIterator[Books]:
    log = LogWorkspace()
    async with open_redis(redis_server) as redis, serving_logs(log) as client:
        workspace = Workspace(WORKSPACE_ID, client)
        awaited = AwaitedEvents(redis, "gw-weu")
        intake = Intake(ledger.writer, RedisDeadLetters(redis), awaited=awaited)
        yield Books(log, WorkspaceLogs(workspace), awaited, intake)
        await workspace.close()


async def streamed(world: PolicyWorld, surface: Surface, log: LogWorkspace) -> UsageEvent:
    """The event of a streamed call, which the gateway logs with what the region billed."""
    await world.chat(surface, stream=True)
    event = await world.event()
    (entry,) = world.asked
    assert entry.usage is not None
    counts = {
        "PromptTokens": entry.usage["prompt_tokens"],
        "CompletionTokens": entry.usage["completion_tokens"],
        "DeploymentName": MINI,
        "ModelName": MINI,
    }
    log.rows.append(logged(event.id, event.time, **counts))
    return event


def counted(ledger: Ledger, event: UsageEvent) -> MoneyCell:
    """The one cell that there is."""
    (cell,) = ledger.cells(Month(event.time.year, event.time.month)).money
    assert cell.usage.requests == 1
    return cell


def metered(cell: MoneyCell) -> tuple[int, int]:
    """Tokens in and out; nothing else is metered."""
    assert set(cell.usage.meters) == {"input", "output"}
    return cell.usage.meters["input"].quantity, cell.usage.meters["output"].quantity


def billed(log: LogWorkspace) -> tuple[int, int]:
    """What the gateway logged."""
    (row,) = log.rows
    return row["PromptTokens"], row["CompletionTokens"]


@both_surfaces
async def test_backfill_completes_the_cell_of_a_stream_with_what_the_region_billed(
    evaluator: Evaluator, surface: Surface, books: Books, ledger: Ledger
) -> None:
    async with policy_world(evaluator) as world:
        pending = await streamed(world, surface, books.log)
    assert await books.take(pending) == {"applied": 1}
    assert counted(ledger, pending).sku.provenance == "pending"
    done = await books.backfill.run(pending.time + 10 * MINUTE)
    assert done == Done(completed=1, missing=0, unmetered={})
    assert await books.take_made(pending) == {"completed": 1}
    cell = counted(ledger, pending)
    assert (cell.tenant, cell.billing_code) == ("contoso", "CC-1001")
    assert (cell.sku.provenance, cell.sku.model, cell.sku.scope) == ("backfilled", MINI, "regional")
    assert metered(cell) == billed(books.log)


async def test_call_whose_event_never_came_is_found_in_the_log_and_counted(
    evaluator: Evaluator, books: Books, ledger: Ledger
) -> None:
    async with policy_world(evaluator) as world:
        lost = await streamed(world, "v1", books.log)
    await books.backfill.run(lost.time - MINUTE)
    done = await books.backfill.run(lost.time + 2 * DAY)
    assert done == Done(completed=0, missing=1, unmetered={})
    assert await books.take_made(lost) == {"applied": 1}
    cell = counted(ledger, lost)
    assert (cell.tenant, cell.billing_code, cell.sku.model) == ("contoso", None, MINI)
    assert metered(cell) == billed(books.log)
