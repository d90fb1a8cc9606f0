"""Azure's spillover: a full deployment's requests are served by another one of the resource."""

from __future__ import annotations

import msgspec

from tollgate.proxy.messages import Headers
from tollgate.proxy.pool import Target


def served_target(target: Target, headers: Headers) -> Target:
    """The target that has served, as the answer's headers say; it decides the price.

    A spare deployment that the settings do not know is a standard one of the same model, since
    Azure spills over to nothing else.
    """
    found = dict(headers)
    name = found.get("x-ms-deployment-name")
    if not name or "x-ms-spillover-from-deployment" not in found:
        return target
    spare = next(
        (known for known in target.backend.deployments.values() if known.name == name),
        msgspec.structs.replace(target.deployment, name=name, deployment_type="standard"),
    )
    return Target(target.backend, spare)
