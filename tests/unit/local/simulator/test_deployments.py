import pytest

from tollgate.local.simulator import RegionSettings
from tollgate.local.simulator.deployments import DeploymentChange, StandingDeployments


def test_change_leaves_the_rest_as_it_is(settings: RegionSettings) -> None:
    standing = StandingDeployments(settings.deployments)
    changed = standing.change("small", DeploymentChange(token_latency_ms=100))
    assert standing.named("small") == changed
    assert (changed.token_latency_ms, changed.tokens_per_minute) == (100, 1000)
    assert settings.deployments["small"].token_latency_ms == 0


def test_quota_can_be_lifted(settings: RegionSettings) -> None:
    standing = StandingDeployments(settings.deployments)
    lifted = standing.change("small", DeploymentChange(tokens_per_minute=None))
    assert lifted.tokens_per_minute is None


def test_unknown_deployment_is_none(settings: RegionSettings) -> None:
    standing = StandingDeployments(settings.deployments)
    assert standing.named("nothing") is None
    assert standing.named(None) is None
    assert standing.all().keys() == settings.deployments.keys()
    with pytest.raises(KeyError):
        standing.change("nothing", DeploymentChange())
