from typing import Any

import pytest

from tollgate.local.simulator import SimulatedRegion


async def test_faults_are_added_listed_and_ended(api: Any) -> None:
    order = {"kind": "throttle", "retry_after_s": 2, "times": 1, "deployment": "mini"}
    status, answer = await api.post("/admin/faults", faults=[order])
    assert status == 200
    assert answer["faults"][0]["fault"].items() >= order.items()
    assert await api.get("/admin/faults") == (200, answer)
    async with api.session.delete("/admin/faults") as ended:
        assert await ended.json() == {"faults": []}
    assert (await api.chat())[0] == 200


async def test_wrong_fault_is_explained_and_changes_nothing(api: Any) -> None:
    orders = [{"kind": "refuse"}, {"kind": "throttle", "retry_after_s": "soon"}]
    status, answer = await api.post("/admin/faults", faults=orders)
    assert status == 400
    [detail] = answer["error"]["details"]
    assert detail["at"] == "faults.1.throttle.retry_after_s"
    assert "valid integer" in answer["error"]["message"]
    assert (await api.get("/admin/faults"))[1] == {"faults": []}


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff"])
async def test_body_that_is_no_order_is_explained(api: Any, body: bytes) -> None:
    async with api.session.post("/admin/faults", data=body) as answer:
        assert answer.status == 400
        assert (await answer.json())["error"]["code"] == "InvalidFaults"


async def test_log_says_what_is_billed(api: Any) -> None:
    _, answer = await api.chat()
    _, log = await api.get("/admin/log")
    [entry] = log["requests"]
    assert entry["usage"] == answer["usage"]
    assert entry["at"] == "2026-10-31T23:59:30Z"
    assert (entry["outcome"], entry["faults"], log["dropped"]) == ("answered", [], 0)


async def test_log_can_be_forgotten(api: Any, region: SimulatedRegion) -> None:
    await api.chat()
    async with api.session.delete("/admin/log") as answer:
        assert await answer.json() == {"dropped": 0, "requests": []}
    assert len(region.log) == 0


async def test_admin_calls_are_not_logged(api: Any, region: SimulatedRegion) -> None:
    await api.get("/admin/faults")
    assert len(region.log) == 0


async def test_latency_is_changed_while_the_region_runs(api: Any, region: SimulatedRegion) -> None:
    async with api.session.patch(
        "/admin/deployments/mini", json={"token_latency_ms": 100}
    ) as answer:
        assert (answer.status, (await answer.json())["token_latency_ms"]) == (200, 100)
    deployment = region.deployments.named("mini")
    assert deployment is not None
    assert deployment.token_latency_ms == 100
    _, shown = await api.get("/admin/deployments")
    assert shown["deployments"]["mini"]["token_latency_ms"] == 100


@pytest.mark.parametrize(
    ("name", "change", "status"),
    [("nothing", {}, 404), ("mini", {"token_latency_ms": -1}, 400), ("mini", {"model": "x"}, 400)],
)
async def test_wrong_change_is_explained(
    api: Any, name: str, change: dict[str, object], status: int
) -> None:
    async with api.session.patch(f"/admin/deployments/{name}", json=change) as answer:
        assert answer.status == status
        assert (await answer.json())["error"]["message"]
