"""The deployments of a region as they stand, which may change while it runs."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, NonNegativeFloat, PositiveInt

from tollgate.local.simulator.settings import SimulatedDeployment


class DeploymentChange(BaseModel):
    """What can change of a deployment at run time; what is not given stays as it is.

    The attributes are those of `SimulatedDeployment`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    tokens_per_minute: PositiveInt | None = None
    requests_per_10s: PositiveInt | None = None
    answer_tokens: PositiveInt | None = None
    first_byte_s: NonNegativeFloat = 0.0
    between_frames_s: NonNegativeFloat = 0.0
    token_latency_ms: NonNegativeFloat = 0.0
    background_s: NonNegativeFloat | None = None


class StandingDeployments:
    """The deployments of a region by name.

    Args:
        deployments: What they are at the start.
    """

    def __init__(self, deployments: Mapping[str, SimulatedDeployment]) -> None:
        self._standing = dict(deployments)

    def named(self, name: str | None) -> SimulatedDeployment | None:
        """The deployment of that name, or None."""
        return None if name is None else self._standing.get(name)

    def all(self) -> dict[str, SimulatedDeployment]:
        """Every deployment by name."""
        return dict(self._standing)

    def change(self, name: str, change: DeploymentChange) -> SimulatedDeployment:
        """Changes a deployment from the next request on, and gives it as it now is.

        Raises:
            KeyError: There is none of that name.
        """
        changed = self._standing[name].model_copy(update=change.model_dump(exclude_unset=True))
        self._standing[name] = changed
        return changed
