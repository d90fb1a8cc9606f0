"""The other gateways, each in an environment of its own under build/, at a pinned version."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import Final

from bench.processes import FOLDER, BenchError, Server, running

# 1.109.1 asks for a litellm-proxy-extras that PyPI does not hold.
LITELLM: Final = "litellm[proxy]==1.106.2"
PORTKEY: Final = "@portkey-ai/gateway 1.15.2"
# With a later @hono/node-server it answers 500 to every stream (its issue 1389).
_PORTKEY_PACKAGES: Final = {
    "private": True,
    "dependencies": {"@portkey-ai/gateway": PORTKEY.split()[1]},
    "overrides": {"@hono/node-server": "1.14.1"},
}
_UV: Final = Path(".tools/uv/bin/uv").absolute()
_LITELLM_HOME: Final = Path("build/litellm").absolute()
_PORTKEY_HOME: Final = Path("build/portkey").absolute()
LITELLM_KEY: Final = "sk-" + token_hex(32)
_INSTALL_S: Final = 600
_LITELLM_SETTINGS: Final = """
model_list:
  - model_name: gpt-4o-mini
    litellm_params:
      model: azure/gpt-4o-mini
      api_base: http://127.0.0.1:{upstream}
      api_key: backend-key
      api_version: "2024-10-21"
general_settings:
  master_key: {key}
litellm_settings:
  telemetry: false
  set_verbose: false
"""
# What its documentation recommends for production, and nothing from the network.
_LITELLM_ENV: Final = {
    "LITELLM_LOG": "ERROR",
    "LITELLM_MODE": "PRODUCTION",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "NO_PROXY": "127.0.0.1",
}


def install_peers() -> None:
    """Install what is not there yet in the pinned version.

    Raises:
        BenchError: That fails.
    """
    _install(LITELLM, LITELLM, _LITELLM_HOME, _install_litellm)
    _install(PORTKEY, json.dumps(_PORTKEY_PACKAGES), _PORTKEY_HOME, _install_portkey)


@contextmanager
def litellm(core: int, upstream: int) -> Generator[Server]:
    """LiteLLM's proxy: one worker, no database, callers with one key that it holds in memory."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    settings = FOLDER / "litellm.yaml"
    settings.write_text(_LITELLM_SETTINGS.format(upstream=upstream, key=LITELLM_KEY))

    def command(port: int) -> list[str]:
        binary = str(_LITELLM_HOME / "bin/litellm")
        address = ["--host", "127.0.0.1", "--port", str(port), "--num_workers", "1"]
        return [binary, "--config", str(settings), *address]

    with running("litellm", core, command, _LITELLM_ENV) as server:
        yield server


@contextmanager
def portkey(core: int) -> Generator[Server]:
    """Portkey's gateway; each request's headers say what is behind it."""
    script = _PORTKEY_HOME / "node_modules/@portkey-ai/gateway/build/start-server.js"

    def command(port: int) -> list[str]:
        return ["node", str(script), f"--port={port}", "--headless"]

    with running("portkey", core, command, {"NODE_ENV": "production"}) as server:
        yield server


def _install(package: str, pinned: str, home: Path, install: Callable[[], None]) -> None:
    """Install into a fresh folder, unless what is there is what is pinned."""
    mark = home / "installed"
    if mark.exists() and mark.read_text() == pinned:
        return
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    try:
        install()
    except (OSError, subprocess.SubprocessError) as error:
        output = getattr(error, "stderr", None) or ""
        raise BenchError(f"{package} cannot be installed: {error}\n{output[-2_000:]}") from None
    mark.write_text(pinned)


def _install_litellm() -> None:
    python = str(_LITELLM_HOME / "bin/python")
    _run(str(_UV), "venv", "--quiet", "--allow-existing", "--python", "3.11", str(_LITELLM_HOME))
    _run(str(_UV), "pip", "install", "--quiet", "--python", python, LITELLM)


def _install_portkey() -> None:
    (_PORTKEY_HOME / "package.json").write_text(json.dumps(_PORTKEY_PACKAGES))
    _run("npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(_PORTKEY_HOME))


def _run(*command: str) -> None:
    subprocess.run(command, capture_output=True, check=True, timeout=_INSTALL_S, text=True)
