"""What every answer bears, whatever was generated."""

from dataclasses import dataclass

from tollgate.local.simulator.identifiers import Identifiers

SYSTEM_FINGERPRINT = "fp_51e1070cf2"


@dataclass(frozen=True, slots=True)
class Envelope:
    """The frame around an answer.

    Attributes:
        ids: Makes the ids of the answer and of its parts.
        created: When the answer was made, seconds since 1970.
        model: Base model and version that answered.
        service_tier: The tier that served.
    """

    ids: Identifiers
    created: int
    model: str
    service_tier: str = "default"
