"""From the gateway's log to usage events: completions of pending ones, and events that never came.

API Management logs prompt and completion tokens. The cached share and the share of reasoning are
not in its log: they are not known, so they are null.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from tollgate.events.gateway_log import LoggedCall
from tollgate.usage.event import (
    CONTROL_CHARACTER,
    DeploymentType,
    Scope,
    UsageData,
    UsageEvent,
    usage_event,
)
from tollgate.usage.tokens import MAX_COUNT, Tokens

UNALLOCATED: Final = "unallocated"
_EMBEDDINGS: Final = "embeddings"
_MAX_NAME: Final = 256
_CLIENT_ERRORS: Final = 400
_SERVER_ERRORS: Final = 500
_UNAVAILABLE: Final = 503
_MAY_HAVE_COST: Final = frozenset({400, 408, 499})
# A part of the operation's id, in lower case -> the event's `api`; the first that fits.
_APIS: Final = {
    "chat": "chat.completions",
    "embedding": _EMBEDDINGS,
    "response": "responses",
    "completion": "completions",
}


class Deployed(msgspec.Struct, frozen=True, kw_only=True):
    """What stands behind a deployment; None where the settings do not say, or differ."""

    model: str | None = None
    version: str | None = None
    deployment_type: DeploymentType | None = None
    scope: Scope | None = None


class Direct(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the calls that API Management sends on without the proxy.

    Args:
        gateway: The gateway id that its events bear.
        apis: The ids of those APIs.
        tenants: Subscription -> tenant.
        deployments: Deployment -> what is behind it.
    """

    gateway: str
    apis: tuple[str, ...]
    tenants: Mapping[str, str]
    deployments: Mapping[str, Deployed]


def completion_of(pending: UsageEvent, call: LoggedCall) -> UsageEvent | None:
    """The completion of a pending event; None if the log has no counts for it.

    It keeps the event's time and payer, and what the event says of the model; the log fills in only
    what the event does not say.
    """
    data = pending.data
    tokens = _tokens(call, data.api)
    if tokens is None:
        return None
    completed = msgspec.structs.replace(
        data,
        provenance="backfilled",
        completes=True,
        tokens=tokens,
        model=data.model or _name(call.model),
        deployment=data.deployment or _name(call.deployment),
        backend=data.backend or _name(call.backend),
    )
    return usage_event(pending.id, pending.time, completed)


def missing_event(call: LoggedCall, direct: Direct) -> UsageEvent | None:
    """The event of a call that has none; None if the call used nothing for certain.

    With counts it is a completion: should the gateway's own pending event still come, that one
    gives time and payer, and nothing is counted twice. Without counts it is unknown. The log knows
    no billing code and no user.
    """
    api = _api(call.operation)
    tokens = _tokens(call, api)
    if tokens is None and _used_nothing(call.status):
        return None
    deployed = direct.deployments.get(call.deployment or "", Deployed())
    data = UsageData(
        gateway=direct.gateway,
        tenant=direct.tenants.get(call.subscription or "", UNALLOCATED),
        billing_code=None,
        subscription=_name(call.subscription),
        api=api,
        deployment=_name(call.deployment),
        model=deployed.model or _name(call.model),
        model_version=deployed.version,
        deployment_type=deployed.deployment_type,
        scope=deployed.scope,
        backend=_name(call.backend),
        status=call.status,
        streamed=bool(call.streamed),
        provenance="unknown" if tokens is None else "backfilled",
        completes=tokens is not None,
        tokens=tokens,
    )
    return usage_event(call.id, call.time, data)


def _tokens(call: LoggedCall, api: str) -> Tokens | None:
    """The counts; None where they are missing or cannot be.

    A call that was served has a prompt, so no prompt tokens are no count.
    """
    prompt, made = call.prompt_tokens, call.completion_tokens
    if made is None and (api == _EMBEDDINGS or call.total_tokens == prompt):
        made = 0
    if prompt is None or made is None or not 0 < prompt <= MAX_COUNT or not 0 <= made <= MAX_COUNT:
        return None
    if api == _EMBEDDINGS:
        return Tokens(input=prompt, output=made)
    return Tokens(input=prompt, output=made, cached_input=None, reasoning_output=None)


def _used_nothing(status: int | None) -> bool:
    """As the policies have it: the content filter's 400, 408 and 499 may have been billed."""
    if status is None:
        return False
    return status == _UNAVAILABLE or (
        _CLIENT_ERRORS <= status < _SERVER_ERRORS and status not in _MAY_HAVE_COST
    )


def _api(operation: str | None) -> str:
    words = (operation or "").lower()
    return next((api for part, api in _APIS.items() if part in words), "other")


def _name(text: str | None) -> str | None:
    """A name of the log, if an event can bear it."""
    if not text or len(text) > _MAX_NAME or CONTROL_CHARACTER.search(text):
        return None
    return text
