from __future__ import annotations

import asyncio

import pytest

from tollgate.functions.runtime import Shared, shared

pytest_plugins = ["servers"]


@pytest.mark.usefixtures("environment", "redis_url")
async def test_everything_is_opened_once_however_many_ask_at_once() -> None:
    gateways = await asyncio.gather(*(shared.gateway() for _ in range(5)))
    intakes = await asyncio.gather(*(shared.intake() for _ in range(5)))
    assert len({*map(id, gateways)}) == len({*map(id, intakes)}) == 1
    assert shared.settings() is shared.settings()


async def test_closing_what_was_never_opened_does_nothing() -> None:
    await Shared().close()
