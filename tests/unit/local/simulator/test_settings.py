import pytest
from pydantic import ValidationError

from tollgate.local.simulator import RegionSettings, SimulatedDeployment
from tollgate.local.simulator.settings import region_label


def test_model_bears_its_dated_version(mini: SimulatedDeployment) -> None:
    assert mini.full_model == "gpt-4o-mini-2024-07-18"


def test_embedding_model_bears_no_version(settings: RegionSettings) -> None:
    assert settings.deployments["vectors"].full_model == "text-embedding-3-small"


def test_region_is_shown_as_azure_writes_it(settings: RegionSettings) -> None:
    assert settings.label == "West Europe"
    assert region_label("moonbase") == "moonbase"


def test_keys_are_not_in_the_representation(settings: RegionSettings) -> None:
    assert "k-123456" not in repr(settings)


@pytest.mark.parametrize("keys", [(), ("",)])
def test_region_without_a_key_is_rejected(keys: tuple[str, ...]) -> None:
    with pytest.raises(ValidationError):
        RegionSettings(name="a", region="westeurope", keys=keys, deployments={})


def test_model_decides_what_a_deployment_does(settings: RegionSettings) -> None:
    assert settings.deployments["painter"].family == "gpt_image"
    assert settings.deployments["vectors"].embeds
    assert not settings.deployments["mini"].embeds
