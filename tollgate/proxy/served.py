"""What has served a call, where the answer says that it is not what was asked for.

Azure's spillover has a full deployment's requests served by another one of the resource; global and
data zone deployments run where there is room.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

import msgspec

from tollgate.proxy.metering import event_name
from tollgate.proxy.pool import Target

_LONGEST_REGION: Final = 64


def served_target(target: Target, found: Mapping[str, str]) -> Target:
    """The target that has served, as the answer's headers say; it decides the price.

    A spare deployment that the settings do not know is a standard one of the same model, since
    Azure spills over to nothing else.

    Args:
        target: The one that was asked.
        found: The answer's headers.
    """
    region = _plain(found.get("x-ms-region", ""))
    if region != target.backend.region and 0 < len(region) <= _LONGEST_REGION:
        target = Target(msgspec.structs.replace(target.backend, region=region), target.deployment)
    name = found.get("x-ms-deployment-name")
    if not name or event_name(name) != name:  # no event could hold it
        return target
    if "x-ms-spillover-from-deployment" not in found:
        return target
    spare = next(
        (known for known in target.backend.deployments.values() if known.name == name),
        msgspec.structs.replace(target.deployment, name=name, deployment_type="standard"),
    )
    return Target(target.backend, spare)


@lru_cache(maxsize=256)
def _plain(region: str) -> str:
    return re.sub(r"[^a-z0-9]", "", region.lower())
