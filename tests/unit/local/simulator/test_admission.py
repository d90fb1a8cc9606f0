from typing import Any

import aiohttp
import pytest

from tollgate.local.simulator import SimulatedDeployment, SimulatedRegion
from tollgate.local.simulator.admission import Estimate
from tollgate.local.simulator.deployments import DeploymentChange
from tollgate.local.simulator.faults import HttpError, Throttle

PATH = "/openai/v1/models"


@pytest.mark.parametrize(
    ("header", "value", "status"),
    [
        ("api-key", "k-123456", 200),
        ("api-key", "k-second", 200),
        ("Authorization", "Bearer k-123456", 200),
        ("Authorization", "bearer k-123456", 200),
        ("api-key", "k-wrong", 401),
        ("api-key", "", 401),
        ("Authorization", "Basic k-123456", 401),
        ("x-other", "k-123456", 401),
    ],
)
async def test_call_needs_a_key_of_the_region(
    region: SimulatedRegion, header: str, value: str, status: int
) -> None:
    async with (
        aiohttp.ClientSession(region.url) as session,
        session.get(PATH, headers={header: value}) as answer,
    ):
        assert answer.status == status


async def test_unknown_deployment_is_not_found(api: Any) -> None:
    status, answer = await api.chat("nothing")
    assert (status, answer["error"]["code"]) == (404, "DeploymentNotFound")
    assert (await api.chat(None))[0] == 404


async def test_model_must_support_the_operation(api: Any) -> None:
    status, answer = await api.chat("vectors")
    assert (status, answer["error"]["code"]) == (400, "OperationNotSupported")


async def test_quota_answers_429_by_itself(api: Any, region: SimulatedRegion) -> None:
    assert (await api.chat("small", max_tokens=900))[0] == 200
    async with api.session.post(
        "/openai/v1/chat/completions",
        json={"model": "small", "messages": [{"content": "x"}], "max_tokens": 900},
    ) as answer:
        assert (answer.status, answer.headers["retry-after-ms"]) == (429, "30000")
        assert answer.headers["x-ratelimit-remaining-tokens"] == "91"
        message = (await answer.json())["error"]["message"]
    assert "ChatCompletions_Create under Azure OpenAI API version v1" in message
    assert region.log[1].usage is None


async def test_oversized_request_is_told_to_wait_a_day(api: Any) -> None:
    _, answer = await api.chat("small", max_tokens=5000)
    assert "Please retry after 86400 seconds" in answer["error"]["message"]


async def test_spillover_serves_what_the_quota_refuses(api: Any, region: SimulatedRegion) -> None:
    async with api.session.post(
        "/openai/v1/chat/completions",
        json={"model": "spilling", "messages": [{"content": "x"}], "max_tokens": 200},
    ) as answer:
        assert answer.status == 200
        assert answer.headers["x-ms-spillover-from-deployment"] == "spilling"
        assert answer.headers["x-ms-deployment-name"] == "mini"
    assert (region.log[0].deployment, region.log[0].served_by) == ("spilling", "mini")


async def test_spillover_may_be_asked_for_by_header(api: Any, region: SimulatedRegion) -> None:
    region.faults.add(Throttle(deployment="small"))
    async with api.session.post(
        "/openai/v1/chat/completions",
        json={"model": "small", "messages": [{"content": "x"}]},
        headers={"x-ms-spillover-deployment": "mini"},
    ) as answer:
        assert (answer.status, answer.headers["x-ms-deployment-name"]) == (200, "mini")


async def test_responses_do_not_spill_over(api: Any) -> None:
    status, _ = await api.post(
        "/openai/v1/responses", model="spilling", input="x", max_output_tokens=200
    )
    assert status == 429


@pytest.mark.parametrize("status", [401, 404, 408, 500, 503])
async def test_error_fault_takes_the_answers_place(
    api: Any, region: SimulatedRegion, status: int
) -> None:
    region.faults.add(HttpError(status=status, times=1))
    answered, body = await api.chat()
    assert answered == status
    assert body["error"]["code"]
    assert (region.log[0].faults, region.log[0].usage) == (["error"], None)
    assert (await api.chat())[0] == 200


async def test_fault_spares_other_deployments(api: Any, region: SimulatedRegion) -> None:
    region.faults.add(Throttle(deployment="small"))
    assert ((await api.chat("small"))[0], (await api.chat("mini"))[0]) == (429, 200)


async def test_requests_of_ten_seconds_are_limited(api: Any, region: SimulatedRegion) -> None:
    region.deployments.change("mini", DeploymentChange(requests_per_10s=1))
    path = "/openai/v1/chat/completions"
    body = {"model": "mini", "messages": [{"content": "x"}]}
    async with api.session.post(path, json=body) as answer:
        assert (answer.status, answer.headers["x-ratelimit-remaining-requests"]) == (200, "0")
        assert "x-ratelimit-reset-requests" not in answer.headers
    async with api.session.post(path, json=body) as answer:
        assert (answer.status, answer.headers["retry-after"]) == (429, "10")
        assert answer.headers["x-ratelimit-reset-requests"] == "10"
        assert "exceeded the request rate limit" in (await answer.json())["error"]["message"]


async def test_images_count_as_requests(api: Any, region: SimulatedRegion) -> None:
    region.deployments.change("painter", DeploymentChange(requests_per_10s=1))
    body = {"model": "painter", "prompt": "a cat"}
    answers = [await api.post("/openai/v1/images/generations", **body) for _ in range(2)]
    assert [status for status, _ in answers] == [200, 429]


def test_quota_may_count_the_answer_alone(mini: SimulatedDeployment) -> None:
    answer_only = mini.model_copy(update={"quota_counts": "answer"})
    assert Estimate(9, 16).counted_by(mini) == 25
    assert Estimate(9, 16).counted_by(answer_only) == 16
    assert Estimate(9).counted_by(answer_only) == 9


async def test_spillover_needs_a_model_of_the_same_kind(api: Any, region: SimulatedRegion) -> None:
    region.faults.add(Throttle(deployment="small"))
    async with api.session.post(
        "/openai/v1/chat/completions",
        json={"model": "small", "messages": [{"content": "x"}]},
        headers={"x-ms-spillover-deployment": "painter"},
    ) as answer:
        assert answer.status == 429
