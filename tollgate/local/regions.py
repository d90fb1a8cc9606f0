"""The three simulated regions, and the settings of a gateway in front of them."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

from tollgate.local.simulator.settings import RegionSettings, SimulatedDeployment
from tollgate.settings import Settings, check_settings

BACKEND_KEY: Final = "simulated-backend-key"
BACKEND_KEY_VARIABLE: Final = "TOLLGATE_SIMULATED_KEY"

# Keys of the two made-up companies. They open nothing but simulated regions on this machine.
CLIENT_KEYS: Final = {"contoso": "contoso-local-key", "fabrikam": "fabrikam-local-key"}

_REGIONS: Final = {
    "weu-1": "westeurope",
    "neu-1": "northeurope",
    "swc-1": "swedencentral",
}
_MODELS: Final = {
    "gpt-4o-mini": ("gpt-4o-mini", "2024-07-18"),
    "gpt-4o": ("gpt-4o", "2024-11-20"),
    "text-embedding-3-small": ("text-embedding-3-small", "1"),
}


def simulated_regions() -> list[RegionSettings]:
    """West Europe, North Europe and Sweden Central, with the same deployments each."""
    return [
        RegionSettings(
            name=name,
            region=region,
            keys=(BACKEND_KEY,),
            deployments={
                alias: SimulatedDeployment(model=model, version=version)
                for alias, (model, version) in _MODELS.items()
            },
        )
        for name, region in _REGIONS.items()
    ]


def local_settings(region_urls: Mapping[str, str]) -> Settings:
    """A gateway in front of the regions: West Europe first, the other two share what it cannot.

    Args:
        region_urls: Backend name to its base URL.
    """
    return check_settings(
        {
            "gateway": {"id": "gw-local"},
            "backends": [
                _backend(name, url, priority=1 if name == "weu-1" else 2)
                for name, url in region_urls.items()
            ],
            "tenants": [
                _tenant("contoso", ["Contoso GmbH"], ["CC-1001", "CC-1002"]),
                _tenant("fabrikam", ["Fabrikam Inc."], ["FB-7", "FB-8"]),
            ],
        },
        "the built-in settings",
    )


def _backend(name: str, url: str, priority: int) -> dict[str, Any]:
    return {
        "name": name,
        "url": f"{url}/openai",
        "region": _REGIONS[name],
        "priority": priority,
        "auth": f"env:{BACKEND_KEY_VARIABLE}",
        "deployments": {
            alias: {"name": alias, "model": model, "version": version, "scope": "global"}
            for alias, (model, version) in _MODELS.items()
        },
    }


def _tenant(name: str, aliases: list[str], codes: list[str]) -> dict[str, Any]:
    digest = sha256(CLIENT_KEYS[name].encode()).hexdigest()
    return {
        "name": name,
        "aliases": aliases,
        "keys": [f"sha256:{digest}"],
        "billing_codes": codes,
    }
