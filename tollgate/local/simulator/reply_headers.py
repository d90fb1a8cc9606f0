"""The headers of Azure's answers."""

from tollgate.local.simulator.exchanges import Exchange
from tollgate.local.simulator.settings import RegionSettings, SimulatedDeployment, region_label


def base_headers(settings: RegionSettings, exchange: Exchange) -> dict[str, str]:
    """What every answer bears: ids, region, and the client's own id if it sent one."""
    headers = {
        "apim-request-id": exchange.entry.request_id,
        "x-request-id": exchange.ids.uuid("x-request-id"),
        "x-ms-region": settings.label,
        "strict-transport-security": "max-age=31536000; includeSubDomains; preload",
        "x-content-type-options": "nosniff",
    }
    client_id = exchange.headers.get("x-ms-client-request-id")
    return headers if client_id is None else {**headers, "x-ms-client-request-id": client_id}


def served_headers(
    settings: RegionSettings, name: str, deployment: SimulatedDeployment, asked_for: str
) -> dict[str, str]:
    """What an answer of a deployment bears besides.

    Args:
        settings: The region.
        name: The deployment that serves.
        deployment: What stands behind it.
        asked_for: The deployment that the request named; another one after a spillover.
    """
    headers = {
        "x-ms-deployment-name": name,
        "x-ms-rai-invoked": "true",
        "x-accel-buffering": "no",
        "azureml-model-session": f"d{deployment.version.replace('-', '')}-{settings.name}",
        "x-envoy-upstream-service-time": str(round(deployment.first_byte_s * 1000)),
    }
    if deployment.served_region is not None:
        headers["x-ms-region"] = region_label(deployment.served_region)
    if name != asked_for:
        headers["x-ms-spillover-from-deployment"] = asked_for
    return headers
