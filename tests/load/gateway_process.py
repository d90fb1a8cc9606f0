"""`tollgate gateway` as a process of its own, which may be killed and started again."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import time
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import msgspec

KEYS: Final = {"contoso": "contoso-load-key", "fabrikam": "fabrikam-load-key"}
BACKEND_KEY: Final = "region-load-key"
TOPIC_KEY: Final = "topic-load-key"
CODES: Final = {"contoso": "CC-1001", "fabrikam": "FB-7"}
MINI: Final = "gpt-4o-mini"
VECTORS: Final = "text-embedding-3-small"
FIRST_BYTE_S: Final = 3.0  # how long a region may be silent
_COMMAND: Final = str(Path(sys.executable).parent / "tollgate")
_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")
_START_S: Final = 30.0
_END_S: Final = 20.0


class GatewayProcess:
    """One gateway: its port, its settings and its journal stay, its processes come and go.

    Args:
        folder: For its settings, its journal and its log.
        settings: Of tollgate.yaml.
        topic_url: Where it publishes.

    Attributes:
        url: Where it listens.
        journal: The journal's folder.
        starts_s: How long each start took until it served, in seconds.
    """

    def __init__(self, folder: Path, settings: Mapping[str, Any], topic_url: str) -> None:
        config = folder / "tollgate.yaml"
        config.write_bytes(msgspec.json.encode(settings))  # JSON is YAML
        self.journal = folder / "journal"
        self.starts_s: list[float] = []
        self._port = _free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self._log = folder / "gateway.log"
        self._process: asyncio.subprocess.Process | None = None
        self._environment = {
            "PATH": os.defpath,
            "TOLLGATE_CONFIG": str(config),
            "TOLLGATE_JOURNAL": str(self.journal),
            "LOAD_BACKEND_KEY": BACKEND_KEY,
            "EVENTGRID_TOPIC_ENDPOINT": topic_url,
            "EVENTGRID_TOPIC_KEY": TOPIC_KEY,
        }

    async def start(self) -> None:
        """Start it, and wait until it serves."""
        began_s = time.monotonic()
        process = await self._spawn()
        assert process.stdout is not None
        async with asyncio.timeout(_START_S):
            line = await process.stdout.readline()
        assert line.startswith(b"gateway "), self._log.read_text()[-2000:]
        self.starts_s.append(time.monotonic() - began_s)

    async def start_in_vain(self, life_s: float) -> None:
        """Start it, and kill it after `life_s` seconds, whether it serves by then or not."""
        await self._spawn()
        await asyncio.sleep(life_s)
        await self.kill()

    async def _spawn(self) -> asyncio.subprocess.Process:
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                _COMMAND,
                "gateway",
                "--port",
                str(self._port),
                env=self._environment,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )
        return self._process

    async def kill(self) -> None:
        """SIGKILL."""
        process = self._running()
        process.kill()
        await process.wait()
        self._process = None

    async def stop(self) -> None:
        """SIGTERM, and wait until it has ended well."""
        process = self._running()
        process.terminate()
        async with asyncio.timeout(_END_S):
            assert await process.wait() == 0, self._log.read_text()[-2000:]
        self._process = None

    async def end(self) -> None:
        """Leave nothing behind, whatever went wrong before."""
        if self._process is not None and self._process.returncode is None:
            await self.kill()

    @property
    def rss_mb(self) -> float:
        """Resident memory, in MB (10^6 bytes)."""
        pages = Path(f"/proc/{self._running().pid}/statm").read_text().split()[1]
        return int(pages) * _PAGE_BYTES / 1e6

    @property
    def bugs(self) -> int:
        """How many tracebacks its log holds."""
        return self._log.read_text().count("Traceback")

    def _running(self) -> asyncio.subprocess.Process:
        assert self._process is not None
        return self._process


def settings(regions: Mapping[str, str]) -> dict[str, Any]:
    """A gateway before these regions, all alike, whose breakers close soon.

    Args:
        regions: Name to URL.
    """
    return {
        "gateway": {"id": "gw-load"},
        "breaker": {"open_s": 1, "max_retry_after_s": 2},
        "retry": {
            "attempts": 3,
            "first_byte_timeout_s": FIRST_BYTE_S,
            "answer_timeout_s": FIRST_BYTE_S,
        },
        "relay": {"drain_timeout_s": 5},
        "backends": [
            {
                "name": name,
                "url": f"{url}/openai",
                "region": "westeurope",
                "auth": "env:LOAD_BACKEND_KEY",
                "deployments": {
                    MINI: {"name": MINI, "model": MINI, "version": "2024-07-18"},
                    VECTORS: {"name": VECTORS, "model": VECTORS, "version": "1"},
                },
            }
            for name, url in regions.items()
        ],
        "tenants": [
            {
                "name": name,
                "keys": [f"sha256:{sha256(key.encode()).hexdigest()}"],
                "billing_codes": [CODES[name]],
            }
            for name, key in KEYS.items()
        ],
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
