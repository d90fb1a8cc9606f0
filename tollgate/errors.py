"""What can go wrong, by what the caller should do.

TollgateError
├── Retryable            the same call may succeed later; nothing was lost
│   ├── StoreUnavailable     Redis did not answer, or refused to write
│   ├── PublishFailed        the broker did not take the batch
│   ├── LogsUnavailable      the gateway's log did not answer
│   └── MetricsUnavailable   Azure Monitor's metrics did not answer
├── Rejected             the same input will fail again; keep it aside with the reason
│   ├── InvalidEvent         not a usage event of a version we read
│   └── DamagedFile          a file of the archive cannot be read to its end
└── SettingsError        tollgate.yaml or the environment is wrong; holds every problem

Anything else that is raised is a bug and is not caught.
"""

from __future__ import annotations


class TollgateError(Exception):
    """The root of everything that Tollgate raises on purpose."""


class Retryable(TollgateError):  # noqa: N818  a kind of outcome, named as callers read it
    """The same call may succeed later."""


class StoreUnavailable(Retryable):
    """Redis did not answer, or refused to write."""


class PublishFailed(Retryable):
    """The broker did not take the batch."""


class LogsUnavailable(Retryable):
    """The gateway's log did not answer, or takes no more queries for now."""


class MetricsUnavailable(Retryable):
    """Azure Monitor's metrics did not answer, or take no more queries for now."""


class Rejected(TollgateError):  # noqa: N818  a kind of outcome, named as callers read it
    """The same input will fail again."""


class InvalidEvent(Rejected):
    """The bytes are not a usage event of a version that we read; the message says why."""


class DamagedFile(Rejected):
    """A file of the archive cannot be read to its end; the message says where it breaks off."""


class SettingsError(TollgateError):
    """The settings cannot be used.

    Args:
        problems: Every problem found, each with its place.
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems
