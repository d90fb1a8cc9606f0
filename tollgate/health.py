"""How a process is, in one word, with the reasons in a few more.

`failing` means that this instance refuses calls, or holds usage where it is not safe: `/health`
answers 503, and the host may put another instance in its place. `degraded` means that nothing is
lost, but someone should look: 200, for another instance would be no better.
"""

from __future__ import annotations

from typing import Any, Final, Literal

import msgspec

Status = Literal["ok", "degraded", "failing"]
_HTTP: Final[dict[Status, int]] = {"ok": 200, "degraded": 200, "failing": 503}


class Finding(msgspec.Struct, frozen=True):
    """Something that is not as it should be."""

    status: Literal["degraded", "failing"]
    reason: str


class Health(msgspec.Struct, frozen=True):
    """How a part is.

    Args:
        findings: What is not as it should be.
        facts: Figures for whoever looks, as JSON values.
    """

    findings: list[Finding]
    facts: dict[str, Any]

    @property
    def status(self) -> Status:
        """The worst of the findings."""
        found = {finding.status for finding in self.findings}
        return "failing" if "failing" in found else "degraded" if found else "ok"

    @property
    def http_status(self) -> int:
        """What `/health` answers with."""
        return _HTTP[self.status]

    def beside(self, other: Health, name: str) -> Health:
        """This part and another one, whose facts stand under `name`."""
        return Health(self.findings + other.findings, {**self.facts, name: other.facts})

    def content(self) -> dict[str, Any]:
        """As `/health` shows it."""
        reasons = [found.reason for found in self.findings]
        return {"status": self.status, "reasons": reasons, **self.facts}
