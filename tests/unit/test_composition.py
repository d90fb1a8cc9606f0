from __future__ import annotations

import asyncio
from datetime import UTC
from pathlib import Path
from typing import Any

import msgspec
import pytest
from builders import event, raw_event
from eventhubs.broker import Broker
from eventhubs.clients import HUB, PARTITIONS, TIMEOUT_S
from gateways import ask
from proxying import BACKEND_KEY, request
from redis.asyncio import Redis
from topics import PATH, TOPIC_KEY, Topic
from whole_gateways import MINI, simulated, write_settings

from tollgate.composition import GatewayRuntime, utc_now
from tollgate.errors import SettingsError, StoreUnavailable
from tollgate.events.journal import Journal
from tollgate.intake_runtime import IntakeRuntime
from tollgate.local.servers import serving
from tollgate.settings import (
    Environment,
    Settings,
    check_settings,
    load_settings,
    read_environment,
)

pytest_plugins = ["servers"]

WITHOUT_HUB = "Endpoint=sb://ns/;SharedAccessKeyName=n;SharedAccessKey=s3cret"


def settings(*auths: str) -> Settings:
    backends: list[dict[str, Any]] = [
        {
            "name": f"backend-{number}",
            "url": "http://127.0.0.1:1/openai",
            "region": "westeurope",
            "auth": auth,
            "deployments": {"mini": {"name": "mini", "model": "gpt-4o-mini", "ptu": 5}},
        }
        for number, auth in enumerate(auths)
    ]
    tenants = [{"name": "contoso", "keys": ["sha256:" + "0" * 64]}]
    return check_settings({"gateway": {"id": "gw"}, "backends": backends, "tenants": tenants})


def left_behind(folder: Path) -> None:
    journal = Journal(folder)
    journal.record(event("req-1"))
    journal.close()


async def test_what_an_earlier_process_left_is_published(tmp_path: Path) -> None:
    left_behind(tmp_path)
    topic = Topic()
    async with serving(topic.app) as url:
        environment = read_environment(
            {
                "TOLLGATE_JOURNAL": str(tmp_path),
                "EVENTGRID_TOPIC_ENDPOINT": url + PATH,
                "EVENTGRID_TOPIC_KEY": TOPIC_KEY,
            }
        )
        async with GatewayRuntime(settings("env:KEY"), environment, lambda _: "key"):
            assert [taken["id"] for taken in await topic.received(1)] == ["req-1"]


def hub_environment(journal: Path, **hub: str) -> Environment:
    return read_environment({"TOLLGATE_JOURNAL": str(journal), **hub})


@pytest.mark.parametrize("named_by", ["EVENTHUB_NAME", "EntityPath"])
async def test_what_an_earlier_process_left_is_published_to_a_hub(
    tmp_path: Path, named_by: str
) -> None:
    left_behind(tmp_path)
    with Broker({HUB: PARTITIONS}) as broker:
        whole = broker.connection_string(HUB)
        name = {} if named_by == "EntityPath" else {"EVENTHUB_NAME": HUB}
        connection = broker.connection_string() if name else whole
        environment = hub_environment(tmp_path, EVENTHUB_CONNECTION=connection, **name)
        async with GatewayRuntime(settings("env:KEY"), environment, lambda _: "key") as runtime:
            async with asyncio.timeout(TIMEOUT_S):
                while runtime.journal_depth:  # noqa: ASYNC110  it has no event to wait for
                    await asyncio.sleep(0.01)
        assert [event.body for event in broker.events(HUB)] == [raw_event("req-1")]


async def test_a_topic_and_a_hub_both_get_every_event(tmp_path: Path) -> None:
    left_behind(tmp_path)
    topic = Topic()
    with Broker({HUB: PARTITIONS}) as broker:
        async with serving(topic.app) as url:
            environment = hub_environment(
                tmp_path,
                EVENTHUB_CONNECTION=broker.connection_string(),
                EVENTHUB_NAME=HUB,
                EVENTGRID_TOPIC_ENDPOINT=url + PATH,
                EVENTGRID_TOPIC_KEY=TOPIC_KEY,
            )
            async with (
                GatewayRuntime(settings("env:KEY"), environment, lambda _: "key") as runtime,
                asyncio.timeout(TIMEOUT_S),
            ):
                while runtime.journal_depth:  # noqa: ASYNC110  it has no event to wait for
                    await asyncio.sleep(0.01)
        assert [event.body for event in broker.events(HUB)] == [raw_event("req-1")]
        assert [event["id"] for event in topic.events] == ["req-1"]


async def test_our_identity_serves_a_hub_too(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    environment = hub_environment(
        tmp_path,
        EVENTHUB_CONNECTION__fullyQualifiedNamespace="ns.servicebus.windows.net",
        EVENTHUB_NAME=HUB,
    )
    async with GatewayRuntime(settings("env:KEY"), environment, lambda _: "key"):
        assert "nobody is billed" not in caplog.text


@pytest.mark.parametrize(
    ("hub", "problem"),
    [
        ({"EVENTHUB_CONNECTION": "s3cret", "EVENTHUB_NAME": HUB}, "EVENTHUB_CONNECTION: Conn"),
        ({"EVENTHUB_CONNECTION": "Endpoint=sb://h/;SharedAccessKey=s3cret"}, "EVENTHUB_CONN"),
        ({"EVENTHUB_CONNECTION": WITHOUT_HUB}, "EVENTHUB_NAME is not set"),
        ({"EVENTHUB_CONNECTION__fullyQualifiedNamespace": "ns"}, "EVENTHUB_NAME is not set"),
    ],
)
async def test_a_hub_that_is_not_named_rightly_is_told_without_its_key(
    tmp_path: Path, hub: dict[str, str], problem: str
) -> None:
    environment = hub_environment(tmp_path, **hub)
    with pytest.raises(SettingsError, match=problem) as caught:
        await GatewayRuntime(settings("env:KEY"), environment, lambda _: "key").__aenter__()
    assert "s3cret" not in str(caught.value)


async def test_the_name_of_a_hub_alone_is_no_hub(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    environment = hub_environment(tmp_path, EVENTHUB_NAME=HUB)
    async with GatewayRuntime(settings("env:KEY"), environment, lambda _: "key"):
        assert "nobody is billed" in caplog.text


async def test_without_a_topic_events_wait_in_the_journal_and_that_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    left_behind(tmp_path)
    environment = read_environment({"TOLLGATE_JOURNAL": str(tmp_path)})
    for _ in range(2):
        async with GatewayRuntime(settings("env:KEY"), environment, lambda _: "key") as runtime:
            content = runtime.health.content()
            assert content["status"] == "degraded"
            assert content["reasons"][-1].startswith("no topic is set: ")
            assert (content["publishing"], content["journal_depth"]) == (False, 1)
    assert f"usage waits in the journal at {tmp_path} and nobody is billed" in caplog.text


async def test_our_identity_serves_backends_and_topic(tmp_path: Path) -> None:
    environment = read_environment(
        {"TOLLGATE_JOURNAL": str(tmp_path), "EVENTGRID_TOPIC_ENDPOINT": "https://topic.example"}
    )
    both = settings("managed_identity", "managed_identity")
    async with GatewayRuntime(both, environment) as runtime:
        assert runtime.journal_depth == 0


async def test_every_missing_secret_is_told_at_once_and_nothing_stays_open(tmp_path: Path) -> None:
    environment = read_environment({"TOLLGATE_JOURNAL": str(tmp_path / "journal")})
    wanting = settings("env:TOLLGATE_NO_1", "managed_identity", "env:TOLLGATE_NO_2")
    with pytest.raises(SettingsError) as caught:
        await GatewayRuntime(wanting, environment).__aenter__()
    assert [problem.split()[1] for problem in caught.value.problems] == [
        "TOLLGATE_NO_1",
        "TOLLGATE_NO_2",
    ]
    assert not await asyncio.to_thread((tmp_path / "journal").exists)


async def test_a_folder_that_cannot_hold_a_journal_is_told(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    environment = read_environment({"TOLLGATE_JOURNAL": str(file)})
    with pytest.raises(SettingsError, match=r"TOLLGATE_JOURNAL: .* cannot be used: File exists"):
        await GatewayRuntime(settings("env:KEY"), environment, lambda _: "key").__aenter__()


@pytest.mark.parametrize("url", [None, "localhost:6379", "redis://:s3cret@host:port", "redis://"])
def test_a_redis_that_is_not_named_rightly_is_told_without_its_password(url: str | None) -> None:
    environ = {"TOLLGATE_REDIS_URL": url} if url else {}
    with pytest.raises(SettingsError, match="TOLLGATE_REDIS_URL") as caught:
        IntakeRuntime(read_environment(environ))
    assert "s3cret" not in str(caught.value)


async def test_a_redis_that_is_no_place_for_a_ledger_is_a_warning_at_the_start(
    redis_server: str, caplog: pytest.LogCaptureFixture
) -> None:
    environment = read_environment({"TOLLGATE_REDIS_URL": redis_server})
    async with IntakeRuntime(environment):
        assert "the ledger's Redis: appendonly is no, not yes" in caplog.text
    with pytest.raises(SettingsError, match="appendonly is no"):
        await IntakeRuntime(environment, strict=True).__aenter__()


async def test_a_redis_that_is_away_fails_the_start_only_when_strict(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tollgate.intake_runtime._CHECK_S", 0.1)
    environment = read_environment({"TOLLGATE_REDIS_URL": "redis://127.0.0.1:1"})
    async with IntakeRuntime(environment):
        assert "its settings could not be checked" in caplog.text
    with pytest.raises(StoreUnavailable):
        await IntakeRuntime(environment, strict=True).__aenter__()


def redis_at(url: str) -> Any:
    return Redis.from_url(url)  # pyright: ignore[reportUnknownMemberType]  types of redis-py


async def test_how_responses_are_followed_changes_without_a_restart(
    tmp_path: Path, redis_server: str
) -> None:
    config, own = tmp_path / "tollgate.yaml", f"{redis_server}/7"
    environment = read_environment(
        {"TOLLGATE_JOURNAL": str(tmp_path / "journal"), "TOLLGATE_REDIS_URL": own}
    )
    body = {"model": MINI, "input": "Hi", "background": True}
    create = request(path="/v1/responses", query="", body=msgspec.json.encode(body))

    def said(**responses: Any) -> Settings:
        write_settings(config, regions, responses=responses)
        return load_settings(config)

    async with simulated(background_s=1.2) as regions:
        slow = said(poll_s=3600, longest_poll_s=3600)
        async with GatewayRuntime(slow, environment, lambda _: BACKEND_KEY) as runtime:
            runtime.change(said(poll_s=0.1, longest_poll_s=0.1, kept_s=60))
            assert (await ask(runtime.gateway, create)).status == 200
            async with redis_at(own) as redis:
                keys = await redis.keys("tollgate:response:*")
                assert 0 < max([await redis.ttl(key) for key in keys]) <= 60
            async with asyncio.timeout(20):
                while runtime.journal_depth < 2:  # noqa: ASYNC110  nothing tells of it
                    await asyncio.sleep(0.05)


def test_now_is_utc() -> None:
    assert utc_now().tzinfo is UTC
