from time import monotonic
from typing import Any

import pytest

from tollgate.local.simulator import SimulatedRegion
from tollgate.local.simulator.deployments import DeploymentChange
from tollgate.local.simulator.faults import ContentFilter, HttpError


async def test_models_are_base_models(api: Any) -> None:
    _, answer = await api.get("/openai/v1/models")
    assert [item["id"] for item in answer["data"]] == [
        "gpt-4o-mini-2024-07-18",
        "o3-mini-2025-01-31",
        "text-embedding-3-small",
        "gpt-image-1-2025-04-15",
        "dall-e-3",
        "gpt-4o-transcribe-2025-03-20",
        "whisper",
        "gpt-4o-mini-tts-2025-03-20",
        "tts",
    ]


async def test_dated_path_decides_the_deployment(api: Any, region: SimulatedRegion) -> None:
    path = "/openai/deployments/mini/chat/completions?api-version=2024-10-21"
    messages = [{"role": "user", "content": "x"}]
    status, answer = await api.post(path, model="thinker", messages=messages)
    assert (status, answer["model"]) == (200, "gpt-4o-mini-2024-07-18")
    assert region.log[0].deployment == "mini"


async def test_missing_version_is_not_found(api: Any) -> None:
    status, answer = await api.post("/openai/deployments/mini/chat/completions", messages=[{}])
    assert status == 404
    assert answer == {"error": {"code": "404", "message": "Resource not found"}}


async def test_blocked_prompt_is_refused_and_billed(api: Any, region: SimulatedRegion) -> None:
    messages = [{"role": "user", "content": "a simulated-violation"}]
    status, answer = await api.chat(messages=messages)
    assert (status, answer["error"]["code"]) == (400, "content_filter")
    [entry] = region.log
    assert entry.usage is not None
    assert (entry.usage["prompt_tokens"], entry.usage["completion_tokens"]) == (13, 0)


async def test_blocked_embedding_is_refused(api: Any) -> None:
    status, _ = await api.post(
        "/openai/v1/embeddings", model="vectors", input="simulated-violation"
    )
    assert status == 400


async def test_filter_fault_blocks_any_prompt(api: Any, region: SimulatedRegion) -> None:
    region.faults.add(ContentFilter(on="prompt"))
    assert (await api.chat())[0] == 400


async def test_filter_fault_cuts_the_completion(api: Any, region: SimulatedRegion) -> None:
    region.faults.add(ContentFilter())
    status, answer = await api.chat()
    [choice] = answer["choices"]
    assert (status, choice["finish_reason"]) == (200, "content_filter")
    assert choice["content_filter_results"]["violence"]["filtered"] is True
    assert region.log[0].usage == answer["usage"]


async def test_long_prompt_is_cached_in_part(api: Any) -> None:
    messages = [{"role": "user", "content": "word" * 2000}]
    _, answer = await api.chat(messages=messages)
    assert answer["usage"]["prompt_tokens"] == 2007
    assert answer["usage"]["prompt_tokens_details"]["cached_tokens"] == 1408


@pytest.mark.parametrize("content", ["\ud800", "\x00", "🙂" * 10])
async def test_odd_text_is_answered_or_refused(api: Any, content: str) -> None:
    status, _ = await api.chat(messages=[{"role": "user", "content": content}])
    assert status in {200, 400}


async def test_fault_befalls_reading_operations_too(api: Any, region: SimulatedRegion) -> None:
    region.faults.add(HttpError(status=503, operation="models"))
    assert (await api.get("/openai/v1/models"))[0] == 503


async def test_whole_answer_takes_its_limit_times_the_latency(
    api: Any, region: SimulatedRegion
) -> None:
    region.deployments.change("mini", DeploymentChange(token_latency_ms=2))
    before = monotonic()
    await api.chat(max_tokens=50)
    assert monotonic() - before >= 0.1


async def test_refusal_takes_no_time_per_token(api: Any, region: SimulatedRegion) -> None:
    region.deployments.change("mini", DeploymentChange(token_latency_ms=100))
    region.faults.add(HttpError())
    before = monotonic()
    await api.chat(max_tokens=50)
    assert monotonic() - before < 1


@pytest.mark.parametrize("kind", ["prompt", "completion"])
async def test_filter_refuses_images(api: Any, region: SimulatedRegion, kind: Any) -> None:
    region.faults.add(ContentFilter(on=kind))
    status, answer = await api.post("/openai/v1/images/generations", model="painter", prompt="a")
    assert (status, answer["error"]["code"]) == (400, "content_filter")
    assert region.log[0].usage is None


async def test_blocked_speech_is_refused(api: Any) -> None:
    body = {"model": "voice", "voice": "alloy", "input": "simulated-violation"}
    assert (await api.post("/openai/v1/audio/speech", **body))[0] == 400
