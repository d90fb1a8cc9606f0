"""Makes the same call at the gateway and at a region itself, for tests of what a client sees.

Name it in `pytest_plugins` for its fixtures: one gateway for all tests of a module, whose loop they
must share; it is imported as well (PYTEST_DONT_REWRITE).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, Final, NamedTuple, cast

import msgspec
import pytest
import pytest_asyncio
from serving import MINI, World, there, world

from tollgate.usage.event import UsageData

# What differs between two answers to one question: ids, times, and the padding of streams.
_PASSING: Final = frozenset(
    {"id", "response_id", "item_id", "call_id", "created", "created_at", "obfuscation", "url"}
)
DIRECT: Final = "swc-1"

# Makes a call for a deployment, and gives back all that the client saw of the answer.
Shape = Callable[[Any, str], Awaitable[Any]]


class Case(NamedTuple):
    """A call, and how it is to be counted."""

    shape: Shape
    api: str
    provenance: str = "measured"
    streamed: bool = False
    model: str = MINI


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def one_world() -> AsyncGenerator[World]:
    async with world() as started:
        yield started


@pytest.fixture
def here(one_world: World) -> World:
    """The one world, as if nothing had been asked yet."""
    one_world.sink.events.clear()
    for region in one_world.regions.values():
        region.log.clear()
        region.faults.clear()
    return one_world


async def seen_by_both(here: World, shape: Shape, model: str, version: str) -> tuple[Any, Any]:
    """What a client sees at the gateway, and what it sees at a region.

    Args:
        here: The gateway and the regions.
        shape: The call.
        model: The deployment alias.
        version: `v1`, or the date of the dated API.
    """
    async with here.v1() if version == "v1" else here.azure(version) as client:
        ours = await shape(client, model)
    region = here.regions[DIRECT]
    async with here.at_a_region(DIRECT, version) as client:
        theirs = await shape(client, there(model))
    region.log.clear()  # so that the test's own call is not taken for one of the gateway's
    return lasting(ours), lasting(theirs)


def lasting(seen: Any) -> Any:
    """What was seen, as plain data and without what differs from call to call."""
    if hasattr(seen, "model_dump"):
        return lasting(seen.model_dump(warnings=False))
    if isinstance(seen, dict):
        members = cast("dict[str, Any]", seen)
        return {name: lasting(each) for name, each in members.items() if name not in _PASSING}
    if isinstance(seen, list | tuple):
        return [lasting(each) for each in cast("list[Any]", seen)]
    return seen


async def assert_counted_as_billed(here: World, case: Case) -> None:
    """There is one event, and it says what the region's log says."""
    data = (await here.event()).data
    (entry,) = here.asked
    assert entry.usage is not None
    billed = billed_by(entry.usage)
    if case.api == "audio.speech" and "output" in billed:
        billed["audio_output"] = billed["output"]  # all that speech puts out is sound
    assert counted(data) == billed
    assert (data.api, data.provenance, data.streamed) == (case.api, case.provenance, case.streamed)
    served = here.regions["weu-1"].settings.deployments[there(case.model)]
    assert (data.deployment, entry.deployment) == (there(case.model), there(case.model))
    assert (data.model, data.model_version) == (case.model, served.version)
    assert (data.tenant, data.backend, data.status, data.attempts) == ("contoso", "weu-1", 200, 1)
    assert (data.delivered, data.cancelled) == (True, False)


def counted(data: UsageData) -> dict[str, int]:
    """What an event counts, under the names of `billed_by`."""
    tokens: dict[str, int] = msgspec.to_builtins(data.tokens) or {}
    return {name: count for name, count in {**tokens, **data.units}.items() if count}


def billed_by(usage: dict[str, Any]) -> dict[str, int]:
    """What a region's log says that it bills for one call."""
    if "seconds" in usage:
        return {"milliseconds": usage["seconds"] * 1000}
    if "characters" in usage:
        return {"characters": usage["characters"]}
    if "images" in usage:
        return {f"images:{usage['size']}:{usage['quality']}": usage["images"]}
    inputs = _details(usage, "prompt_tokens_details", "input_tokens_details", "input_token_details")
    outputs = _details(usage, "completion_tokens_details", "output_tokens_details")
    said = {
        "input": usage.get("prompt_tokens", usage.get("input_tokens")),
        "output": usage.get("completion_tokens", usage.get("output_tokens")),
        "cached_input": inputs.get("cached_tokens"),
        "cache_write_input": inputs.get("cache_write_tokens"),
        "audio_input": inputs.get("audio_tokens"),
        "image_input": inputs.get("image_tokens"),
        "reasoning_output": outputs.get("reasoning_tokens"),
        "audio_output": outputs.get("audio_tokens"),
        "image_output": outputs.get("image_tokens"),
    }
    return {name: count for name, count in said.items() if count}


def _details(usage: dict[str, Any], *names: str) -> dict[str, Any]:
    found = [usage[name] for name in names if usage.get(name)]
    return found[0] if found else {}
