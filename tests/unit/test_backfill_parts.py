from __future__ import annotations

from typing import Any

from tollgate.backfill_parts import direct_of
from tollgate.events.backfill import Deployed
from tollgate.settings import Settings, check_settings


def settings(*versions: str, **changes: Any) -> Settings:
    backends = [
        {
            "name": f"backend-{number}",
            "url": "https://one.example/openai",
            "region": "westeurope",
            "auth": "managed_identity",
            "deployments": {
                "alias": {"name": "mini", "model": "gpt-4o-mini", "version": version},
                f"own-{number}": {"name": f"own-{number}", "model": "gpt-4o", "scope": "global"},
            },
        }
        for number, version in enumerate(versions or ("1",))
    ]
    tenants = [{"name": "contoso", "subscriptions": ["sub-42", "sub-43"]}]
    given = {"gateway": {"id": "gw"}, "backends": backends, "tenants": tenants}
    return check_settings({**given, **changes})


APIS = {"backfill": {"gateway": "gw-apim", "apis": ["openai"]}}


def test_without_apis_of_its_own_there_are_no_direct_calls() -> None:
    assert direct_of(settings()) is None
    assert direct_of(settings(backfill={"gateway": "gw-apim"})) is None


def test_subscriptions_name_tenants() -> None:
    direct = direct_of(settings(**APIS))
    assert direct is not None
    assert (direct.gateway, direct.apis) == ("gw-apim", ("openai",))
    assert direct.tenants == {"sub-42": "contoso", "sub-43": "contoso"}


def test_a_deployment_is_what_all_of_that_name_have_in_common() -> None:
    direct = direct_of(settings("1", "2", **APIS))
    assert direct is not None
    assert direct.deployments["mini"] == Deployed(
        model="gpt-4o-mini", version=None, deployment_type="standard", scope="regional"
    )
    assert direct.deployments["own-1"] == Deployed(
        model="gpt-4o", version=None, deployment_type="standard", scope="global"
    )
