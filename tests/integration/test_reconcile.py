"""`accountant reconcile` as a process, which asks Azure Monitor over TLS with the real SDKs."""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from accounting import apply_on_redis, empty_redis
from aiohttp import web
from certificates import signed_by_itself
from metrics_service import MetricsService, resource_id
from reconciling import csv_text, invoice_row, meter_row, october_events, write_rates

from tollgate.local.servers import serving

pytest_plugins = ["servers"]
pytestmark = pytest.mark.integration

DATABASE = 14  # emptied by each test that uses it
WEU = resource_id("aoai-weu")
SUMS = {
    "ProcessedPromptTokens": {"2026-10-15": 3_000_000, "2026-10-16": 1_000},
    "GeneratedTokens": {"2026-10-15": 100_000, "2026-10-16": 10},
    "AzureOpenAIRequests": {"2026-10-15": 2, "2026-10-16": 1},
}


class Answer(NamedTuple):
    code: int
    out: str
    err: str


async def run(*arguments: str, code: str = "") -> Answer:
    """Run the command in a process of its own, or by other code."""
    command = ["-c", code] if code else ["-m", "accountant"]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, *command, *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    return Answer(process.returncode or 0, out.decode(), err.decode())


@pytest.fixture
async def ledger(redis_server: str) -> str:
    url = empty_redis(f"{redis_server}/{DATABASE}")
    await asyncio.to_thread(apply_on_redis, url, october_events())
    return url


class Azure(NamedTuple):
    """What a process in Azure finds: an identity, and metrics over TLS."""

    metrics: MetricsService
    endpoint: str
    asked_for: list[str]


@asynccontextmanager
async def azure(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Azure]:
    service, asked_for = MetricsService(), list[str]()
    for metric, sums in SUMS.items():
        status = {"StatusCode": "200"} if metric == "AzureOpenAIRequests" else {}
        for day, total in sums.items():
            service.add(WEU, metric, day, total, ModelDeploymentName="gpt-4o-mini", **status)

    async def token(request: web.Request) -> web.Response:
        asked_for.append(request.query["resource"])
        answer = {"access_token": "token", "expires_on": "99999999999", "token_type": "Bearer"}
        return web.json_response({**answer, "resource": request.query["resource"]})

    identity = web.Application()
    identity.router.add_get("/token", token)
    file = signed_by_itself(folder)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(file)
    runner = web.AppRunner(service.app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    try:
        async with serving(identity) as identity_url:
            environment = {
                "IDENTITY_ENDPOINT": f"{identity_url}/token",
                "IDENTITY_HEADER": "x",
                "AZURE_TOKEN_CREDENTIALS": "ManagedIdentityCredential",
                "SSL_CERT_FILE": str(file),
            }
            for name, value in environment.items():
                monkeypatch.setenv(name, value)
            yield Azure(service, f"https://localhost:{runner.addresses[0][1]}", asked_for)
    finally:
        await runner.cleanup()


def written_map(path: Path, endpoint: str) -> Path:
    path.write_text(f'[[resource]]\nid = "{WEU}"\nbackend = "weu-1"\nendpoint = "{endpoint}"\n')
    return path


async def test_azure_monitor_is_asked_as_this_process(
    ledger: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with azure(tmp_path, monkeypatch) as found:
        names = written_map(tmp_path / "map.toml", found.endpoint)
        options = ("--monitor", "--map", str(names), "--redis-url", ledger, "--format", "json")
        answer = await run("reconcile", "2026-10", *options)
    assert (answer.code, answer.err) == (0, "")
    (metrics,) = json.loads(answer.out)["sources"]
    assert [line["status"] for line in metrics["lines"]] == ["agrees"] * 6
    assert [each["rate"] for each in metrics["capture"]] == ["1"] * 4
    assert set(found.asked_for) == {"https://metrics.monitor.azure.com"}
    assert found.metrics.authorised == {"Bearer token"}


async def test_a_metric_that_failed_is_no_answer(
    ledger: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with azure(tmp_path, monkeypatch) as found:
        found.metrics.errors = {"GeneratedTokens": "Throttled"}
        names = written_map(tmp_path / "map.toml", found.endpoint)
        options = ("--monitor", "--map", str(names), "--redis-url", ledger)
        answer = await run("reconcile", "2026-10", *options)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err == (
        "accountant: Azure Monitor: GeneratedTokens of aoai-weu: Throttled: no more is said\n"
    )


async def test_without_an_identity_it_says_so(
    ledger: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = written_map(tmp_path / "map.toml", "https://localhost:1")
    options = ("--monitor", "--map", str(names), "--redis-url", ledger)
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential")
    answer = await run("reconcile", "2026-10", *options)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.splitlines()[-1] == (
        "accountant: Azure Monitor: no identity to sign in with; run az login, or give it one"
    )


async def test_files_need_no_package_of_azure(ledger: str, tmp_path: Path) -> None:
    """An accountant without the extra reconciles an invoice."""
    rows = [
        meter_row("input", 2_500_000, "0.15"),
        meter_row("cached_input", 500_000, "0.075"),
        meter_row("output", 100_000, "0.60"),
        invoice_row(Date="10/16/2026"),
        meter_row("output", 10, "0.60", Date="10/16/2026"),
    ]
    (tmp_path / "invoice.csv").write_text(csv_text(rows))
    write_rates(tmp_path / "rates.toml")
    code = (
        "import sys; sys.modules['azure'] = sys.modules['aiohttp'] = None\n"
        "from accountant.cli import main; main()"
    )
    files = (
        *("--invoice", str(tmp_path / "invoice.csv"), "--rates", str(tmp_path / "rates.toml")),
        *("--redis-url", ledger, "--out", str(tmp_path / "out")),
    )
    answer = await run("reconcile", "2026-10", *files, code=code)
    assert (answer.code, answer.out) == (0, "")
    assert "All 5 lines agree." in (tmp_path / "out" / "reconcile-2026-10.txt").read_text()
    names = written_map(tmp_path / "map.toml", "https://localhost:1")
    asked = ("--monitor", "--map", str(names), "--redis-url", ledger)
    answer = await run("reconcile", "2026-10", *asked, code=code)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith("accountant: --monitor needs the package azure")
