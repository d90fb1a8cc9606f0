from typing import Any

import aiohttp
import pytest

from tollgate.local.simulator import RegionSettings, SimulatedRegion, regions_listening


async def test_url_is_known_once_it_listens(settings: RegionSettings) -> None:
    region = SimulatedRegion(settings)
    with pytest.raises(RuntimeError):
        _ = region.url
    async with region.listening() as url:
        assert url == region.url
        assert url.startswith("http://127.0.0.1:")


async def test_stopped_region_refuses_connections_and_comes_back(settings: RegionSettings) -> None:
    region = SimulatedRegion(settings)
    url = await region.start()
    await region.stop()
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get(url)
        assert await region.start() == url
        assert (await session.get(f"{url}/openai/v1/models")).status == 401
    await region.stop()


async def test_region_listens_once(region: SimulatedRegion) -> None:
    with pytest.raises(RuntimeError):
        await region.start()


async def test_taken_port_is_an_error(region: SimulatedRegion, settings: RegionSettings) -> None:
    with pytest.raises(OSError, match="address already in use"):
        await SimulatedRegion(settings).start(int(region.url.rsplit(":", 1)[1]))


async def test_several_regions_have_ports_of_their_own(settings: RegionSettings) -> None:
    others = [settings, settings.model_copy(update={"name": "swe-1"})]
    async with regions_listening(others) as regions:
        assert set(regions) == {"weu-1", "swe-1"}
        assert len({region.url for region in regions.values()}) == 2


async def test_log_shows_calls_in_order_without_secrets(region: SimulatedRegion, api: Any) -> None:
    await api.post("/openai/v1/chat/completions?key=k-123456&user=ann", model="mini", messages=[])
    await api.chat()
    first, second = region.log
    assert (first.status, first.query) == (400, "key=[hidden]&user=ann")
    assert (second.operation, second.deployment, second.status) == ("chat.completions", "mini", 200)
    assert second.headers["api-key"] is None
    assert "hello" not in repr(list(region.log))


async def test_log_is_bounded(settings: RegionSettings) -> None:
    region = SimulatedRegion(settings.model_copy(update={"log_requests": 2}))
    async with region.listening() as url, aiohttp.ClientSession(url) as session:
        for _ in range(3):
            await session.get("/openai/v1/models")
    assert (len(region.log), region.log.dropped) == (2, 1)


async def test_long_body_is_refused(settings: RegionSettings) -> None:
    region = SimulatedRegion(settings.model_copy(update={"max_body_bytes": 100}))
    async with region.listening() as url, aiohttp.ClientSession(url) as session:
        answer = await session.post("/openai/v1/embeddings", data=b"x" * 101)
        assert (answer.status, (await answer.json())["error"]["code"]) == (413, "413")
    assert region.log[0].status == 413


async def test_ids_are_unique_across_calls(region: SimulatedRegion, api: Any) -> None:
    answers = [(await api.chat())[1] for _ in range(3)]
    assert len({answer["id"] for answer in answers}) == 3
    assert [entry.response_id for entry in region.log] == [answer["id"] for answer in answers]


async def test_same_request_gets_the_same_text_and_usage(api: Any) -> None:
    (_, first), (_, second) = await api.chat(), await api.chat()
    assert first["choices"] == second["choices"]
    assert first["usage"] == second["usage"]
