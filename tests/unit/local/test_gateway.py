from __future__ import annotations

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from proxying import BACKEND_KEY, KEY
from whole_gateways import MINI, simulated, write_settings

from tollgate.errors import SettingsError
from tollgate.local.gateway import serve_gateway
from tollgate.settings import read_environment

TOLLGATE = Path(sys.executable).with_name("tollgate")
STARTING_S = 20.0


async def test_without_settings_it_says_what_is_missing() -> None:
    with pytest.raises(SettingsError, match="TOLLGATE_CONFIG does not name"):
        await serve_gateway(read_environment({}), "127.0.0.1", 0)


@asynccontextmanager
async def running(config: Path) -> AsyncGenerator[tuple[Process, str]]:
    """`tollgate gateway` as a process, and its URL."""
    environment = {
        "TOLLGATE_CONFIG": str(config),
        "TOLLGATE_JOURNAL": str(config.parent / "journal"),
        "BACKEND_KEY": BACKEND_KEY,
    }
    process = await asyncio.create_subprocess_exec(
        TOLLGATE, "gateway", "--port", "0", env=environment, stdout=PIPE, stderr=PIPE
    )
    assert process.stdout
    try:
        async with asyncio.timeout(STARTING_S):
            first = (await process.stdout.readline()).decode()
        assert first.startswith("gateway gw at http://127.0.0.1:")
        yield process, first.split()[-1].removesuffix("/openai/v1")
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def asked(session: aiohttp.ClientSession, url: str, **body: Any) -> int:
    chat = {"model": MINI, "messages": [{"role": "user", "content": "Hi"}], **body}
    async with session.post(
        f"{url}/v1/chat/completions", json=chat, headers={"api-key": KEY}
    ) as answer:
        await answer.read()
        return answer.status


async def until_refused(session: aiohttp.ClientSession, url: str) -> None:
    async with asyncio.timeout(15):
        while await asked(session, url) == 200:  # noqa: ASYNC110  nothing tells of it
            await asyncio.sleep(0.1)


async def test_it_serves_takes_a_change_over_and_ends_when_told(tmp_path: Path) -> None:
    config = tmp_path / "tollgate.yaml"
    async with simulated() as regions:
        write_settings(config, regions)
        async with running(config) as (process, url), aiohttp.ClientSession() as session:
            assert await asked(session, url) == 200
            long = {"messages": [{"role": "user", "content": "2000 words"}], "stream": True}
            under_way = await session.post(
                f"{url}/v1/chat/completions",
                json={"model": MINI, **long},
                headers={"api-key": KEY},
            )
            first = await under_way.content.readany()
            write_settings(config, regions, tenants=[])
            await until_refused(session, url)
            assert await asked(session, url) == 401
            assert (first + await under_way.read()).endswith(b"data: [DONE]\n\n")
            process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(STARTING_S):
                assert await process.wait() == 0
    kept = b"".join(path.read_bytes() for path in (tmp_path / "journal").iterdir())
    assert kept.count(b'"provenance":"injected"') == 1  # of the stream; nothing got lost on the way


async def test_wrong_settings_are_said_and_end_it(tmp_path: Path) -> None:
    (tmp_path / "tollgate.yaml").write_text("gateway: {}")
    process = await asyncio.create_subprocess_exec(
        TOLLGATE,
        "gateway",
        env={"TOLLGATE_CONFIG": str(tmp_path / "tollgate.yaml")},
        stdout=PIPE,
        stderr=PIPE,
    )
    async with asyncio.timeout(STARTING_S):
        _, said = await process.communicate()
    assert process.returncode not in {0, None}
    assert b"gateway.id" in said
    assert b"Traceback" not in said
