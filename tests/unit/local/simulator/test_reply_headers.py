from datetime import UTC, datetime

from multidict import CIMultiDict

from tollgate.local.simulator import RegionSettings, SimulatedDeployment
from tollgate.local.simulator.exchanges import Exchange
from tollgate.local.simulator.identifiers import Identifiers
from tollgate.local.simulator.reply_headers import base_headers, served_headers
from tollgate.local.simulator.request_log import LogEntry

AT = datetime(2026, 10, 31, tzinfo=UTC)


def _exchange(**headers: str) -> Exchange:
    entry = LogEntry(1, AT, "POST", "/", "", {}, "request-1")
    sent = CIMultiDict({name.replace("_", "-"): value for name, value in headers.items()})
    return Exchange("POST", "/", {}, sent, b"", AT, Identifiers("a"), entry)


def test_every_answer_has_ids_and_region(settings: RegionSettings) -> None:
    headers = base_headers(settings, _exchange())
    assert headers["apim-request-id"] == "request-1"
    assert headers["x-ms-region"] == "West Europe"
    assert "x-ms-client-request-id" not in headers


def test_clients_own_id_comes_back(settings: RegionSettings) -> None:
    headers = base_headers(settings, _exchange(x_ms_client_request_id="mine"))
    assert headers["x-ms-client-request-id"] == "mine"


def test_deployment_may_run_in_another_region(
    settings: RegionSettings, mini: SimulatedDeployment
) -> None:
    abroad = mini.model_copy(update={"served_region": "swedencentral"})
    headers = served_headers(settings, "mini", abroad, "mini")
    assert headers["x-ms-region"] == "Sweden Central"
    assert "x-ms-spillover-from-deployment" not in headers


def test_spillover_is_stated(settings: RegionSettings, mini: SimulatedDeployment) -> None:
    headers = served_headers(settings, "mini", mini, "spilling")
    assert headers["x-ms-spillover-from-deployment"] == "spilling"
    assert headers["x-ms-deployment-name"] == "mini"
