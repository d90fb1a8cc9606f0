"""Simulated Azure OpenAI regions: real HTTP on this machine, real shapes, faults on demand.

Nothing here knows Tollgate: a region is what the provider would be. Public names:

- `SimulatedRegion`, `RegionSettings`, `SimulatedDeployment`: one resource in one region.
- `regions_listening`: several of them at once.
- `faults`: the ways in which a region can be told to misbehave.
"""

from tollgate.local.simulator.region import SimulatedRegion, regions_listening
from tollgate.local.simulator.settings import RegionSettings, SimulatedDeployment

__all__ = ["RegionSettings", "SimulatedDeployment", "SimulatedRegion", "regions_listening"]
