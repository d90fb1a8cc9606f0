"""Lanes, latency, geography, responses in the background: from tollgate.yaml to the event."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openai
import pytest
from proxying import KEY, OTHER_KEY
from whole_gateways import MINI, Whole, simulated, whole_gateway

pytestmark = pytest.mark.integration

KEPT: dict[str, Any] = {"requests_per_10s": 2, "kept_for_high": {"requests": 1}}


async def served_by(whole: Whole, key: str = KEY, **headers: str) -> str:
    async with whole.client(key, **headers) as client:
        made = await client.chat.completions.with_raw_response.create(
            model=MINI, messages=[{"role": "user", "content": "Say hi in 5 words"}]
        )
    return str(made.headers["x-tollgate-backend"])


@pytest.mark.parametrize("low", [{"x-priority": "low"}, {"Priority": "u=5"}, {"Priority": "6"}])
async def test_low_leaves_to_high_what_is_kept_for_it(tmp_path: Path, low: dict[str, str]) -> None:
    async with simulated() as regions, whole_gateway(tmp_path, regions, deployment=KEPT) as whole:
        assert len({await served_by(whole, **low) for _ in regions}) == 3
        with pytest.raises(openai.RateLimitError) as refused:
            await served_by(whole, **low)
        answer = refused.value.response
        assert refused.value.code == "low_priority_capacity"
        assert (
            answer.headers["x-tollgate-ratelimit-reason"] == "requests-below-low-priority-threshold"
        )
        assert 0 < int(answer.headers["retry-after"]) <= 11  # the window, and its step
        assert {await served_by(whole) for _ in regions} <= set(regions)
        told = await whole.told(7)
    assert [data["priority"] for data in told] == ["low"] * 4 + ["high"] * 3
    assert [data["status"] for data in told] == [200, 200, 200, 429, 200, 200, 200]
    assert (told[3]["provenance"], told[3]["attempts"]) == ("none", 0)


async def test_a_tenant_set_to_low_stays_low(tmp_path: Path) -> None:
    async with simulated() as regions, whole_gateway(tmp_path, regions) as whole:
        await served_by(whole, OTHER_KEY, **{"x-priority": "high"})
        with pytest.raises(openai.BadRequestError, match="x-priority"):
            await served_by(whole, **{"x-priority": "urgent"})
        told = await whole.told(2)
    assert (told[0]["tenant"], told[0]["priority"]) == ("fabrikam", "low")


async def test_the_region_that_is_near_to_the_client_serves(tmp_path: Path) -> None:
    near = {"header": "x-client-region", "regions": {"Dublin": ["northeurope", "westeurope"]}}
    routing = {"geography": near}
    async with simulated() as regions, whole_gateway(tmp_path, regions, routing=routing) as whole:
        asked = [await served_by(whole, **{"x-client-region": "dublin"}) for _ in range(5)]
        assert asked == ["neu-1"] * 5
        assert await served_by(whole, **{"x-client-region": "West Europe"}) == "weu-1"
        assert [await served_by(whole, OTHER_KEY) for _ in range(5)] == ["swc-1"] * 5
        told = await whole.told(11)
    assert {data["region"] for data in told[:5]} == {"northeurope"}


async def test_the_fastest_region_serves_most(tmp_path: Path) -> None:
    routing = {"latency": {"within": 1.25}}
    async with (
        simulated(slow=("weu-1", "neu-1")) as regions,
        whole_gateway(tmp_path, regions, routing=routing) as whole,
    ):
        asked = [await served_by(whole) for _ in range(15)]
    assert asked[5:].count("swc-1") >= 8


async def test_a_response_in_the_background_is_completed_by_the_gateway(tmp_path: Path) -> None:
    responses = {"poll_s": 0.05, "longest_poll_s": 0.1}
    async with (
        simulated(background_s=0.2) as regions,
        whole_gateway(tmp_path, regions, responses=responses) as whole,
    ):
        async with whole.client() as client:
            made = await client.responses.create(model=MINI, input="Hi", background=True)
        pending, completion = await whole.topic.received(2)
        (usage,) = [
            entry.usage
            for region in regions.values()
            for entry in region.log
            if entry.operation == "responses"
        ]
    assert made.status == "queued"
    assert (pending["id"], pending["time"]) == (completion["id"], completion["time"])
    assert pending["data"]["provenance"] == "pending"
    assert completion["data"]["completes"]
    assert usage
    assert completion["data"]["tokens"]["output"] == usage["output_tokens"]
    assert completion["data"]["tokens"]["input"] == usage["input_tokens"]
