"""The only reader of the environment and of tollgate.yaml (Contract 3 of the design)."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Final, Literal, cast

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    StringConstraints,
    ValidationError,
)

from tollgate.errors import SettingsError

Name = Annotated[
    str, StringConstraints(min_length=1, max_length=256, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")
]
KeyHash = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
SecretReference = Annotated[str, StringConstraints(pattern=r"^env:[A-Za-z_][A-Za-z0-9_]*$")]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class GatewaySettings(_Section):
    """Who we are, and who may speak for callers."""

    id: Name
    trusted_callers: tuple[KeyHash, ...] = ()


class DeploymentSettings(_Section):
    """What stands behind an alias on one backend."""

    name: Name
    model: Name
    version: Name | None = None
    deployment_type: Literal["standard", "provisioned", "batch", "developer"] = "standard"
    scope: Literal["regional", "data_zone", "global"] = "regional"
    ptu: PositiveInt | None = None


class BackendSettings(_Section):
    """One Azure OpenAI resource."""

    name: Name
    url: Annotated[str, StringConstraints(pattern=r"^https?://[^\s?#]+$")]
    region: Name
    priority: NonNegativeInt = 1
    weight: PositiveInt = 100
    auth: Literal["managed_identity"] | SecretReference
    deployments: dict[Name, DeploymentSettings] = Field(min_length=1)


class BreakerSettings(_Section):
    """When a backend's deployment is left alone, and for how long."""

    failures: PositiveInt = 1
    window_s: PositiveFloat = 10
    open_s: PositiveFloat = 10
    honour_retry_after: bool = True
    max_retry_after_s: PositiveFloat = 120


class RetrySettings(_Section):
    """How often one request is tried, and how long a backend may stay silent."""

    attempts: PositiveInt = 3
    first_byte_timeout_s: PositiveFloat = 60


class RelaySettings(_Section):
    """Bounds on what one request may hold on to."""

    max_request_bytes: PositiveInt = 32 * 1024 * 1024
    max_answer_bytes: PositiveInt = 64 * 1024 * 1024
    drain_timeout_s: PositiveFloat = 60


class LimitSettings(_Section):
    """What a tenant may use."""

    tokens_per_minute: PositiveInt | None = None
    requests_per_minute: PositiveInt | None = None
    tokens_per_month: PositiveInt | None = None


class BudgetSettings(_Section):
    """What a tenant may spend in a month."""

    amount: Annotated[Decimal, Field(ge=0)]
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
    action: Literal["block", "warn"] = "warn"
    alert_at: tuple[PositiveFloat, ...] = (0.5, 0.8, 1.0)


class TenantSettings(_Section):
    """A payer, how it is recognised, and what it may charge to."""

    name: Name
    aliases: tuple[Name, ...] = ()
    keys: tuple[KeyHash, ...] = ()
    subscriptions: tuple[Name, ...] = ()
    billing_codes: tuple[Name, ...] = ()
    priority: Literal["high", "low"] | None = None
    limits: LimitSettings = LimitSettings()
    budget: BudgetSettings | None = None


class Settings(_Section):
    """All of tollgate.yaml."""

    gateway: GatewaySettings
    backends: tuple[BackendSettings, ...] = Field(min_length=1)
    breaker: BreakerSettings = BreakerSettings()
    retry: RetrySettings = RetrySettings()
    relay: RelaySettings = RelaySettings()
    tenants: tuple[TenantSettings, ...] = ()
    unknown_billing_code: Literal["suspense", "reject"] = "suspense"


class Environment(_Section):
    """What the environment says; an unset or empty variable is None."""

    config: Path | None
    redis_url: str | None
    archive: Path | None
    journal: Path
    eventgrid_topic_endpoint: str | None
    eventgrid_topic_key: str | None


DEFAULT_JOURNAL: Final = Path("data/journal")


def read_environment(environ: Mapping[str, str] = os.environ) -> Environment:
    """Read the variables that Tollgate knows."""

    def value(name: str) -> str | None:
        return environ.get(name) or None

    def path(name: str) -> Path | None:
        found = value(name)
        return Path(found) if found else None

    return Environment(
        config=path("TOLLGATE_CONFIG"),
        redis_url=redis_url(environ),
        archive=path("TOLLGATE_ARCHIVE"),
        journal=path("TOLLGATE_JOURNAL") or DEFAULT_JOURNAL,
        eventgrid_topic_endpoint=value("EVENTGRID_TOPIC_ENDPOINT"),
        eventgrid_topic_key=value("EVENTGRID_TOPIC_KEY"),
    )


def redis_url(environ: Mapping[str, str] = os.environ) -> str | None:
    """`TOLLGATE_REDIS_URL`, or None if it is not set."""
    return environ.get("TOLLGATE_REDIS_URL") or None


def resolve_secret(reference: str, environ: Mapping[str, str] = os.environ) -> str:
    """The secret behind `env:NAME`.

    Raises:
        SettingsError: The variable is not set.
    """
    name = reference.removeprefix("env:")
    secret = environ.get(name)
    if not secret:
        raise SettingsError([f"environment: {name} is not set, but tollgate.yaml refers to it"])
    return secret


def load_settings(path: Path) -> Settings:
    """Read and check tollgate.yaml.

    Raises:
        SettingsError: With every problem found.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise SettingsError([f"{path}: cannot be read: {reason}"]) from None
    try:
        raw: object = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise SettingsError([f"{path}: not YAML: {' '.join(str(error).split())}"]) from None
    return check_settings(raw, str(path))


def check_settings(raw: object, where: str = "tollgate.yaml") -> Settings:
    """Check settings that are already read.

    Raises:
        SettingsError: With every problem found, each with its place.
    """
    problems: list[str] = []
    settings: Settings | None = None
    try:
        settings = Settings.model_validate(raw)
    except ValidationError as error:
        problems = [_problem(entry) for entry in error.errors(include_input=False)]
    problems += _contradictions(raw)
    if settings is None or problems:
        raise SettingsError([f"{where}: {problem}" for problem in problems])
    return settings


def _problem(entry: Mapping[str, Any]) -> str:
    place = ".".join(str(step) for step in entry["loc"]) or "the file"
    return f"{place}: {entry['msg'][:1].lower()}{entry['msg'][1:]}"


def _contradictions(raw: object) -> list[str]:
    """What no single value shows: names, keys and codes that stand in two places."""
    backends, tenants = _mappings(raw, "backends"), _mappings(raw, "tenants")
    names = [alias for tenant in tenants for alias in {*_folded(tenant, "name", "aliases")}]
    codes = [
        f"tenants: billing code {code!r} stands twice at {tenant.get('name')!r}"
        for tenant in tenants
        for code in _repeated(_folded(tenant, "billing_codes"))
    ]
    return [
        *(
            f"backends: the name {name!r} stands twice"
            for name in _repeated(str(backend.get("name")) for backend in backends)
        ),
        *(
            f"tenants: the name or alias {name!r} stands at two tenants"
            for name in _repeated(names)
        ),
        *(f"tenants: the key {key[:15]}… stands twice" for key in _repeated(_all(tenants, "keys"))),
        *(
            f"tenants: the subscription {name!r} stands twice"
            for name in _repeated(_all(tenants, "subscriptions"))
        ),
        *codes,
    ]


def _mappings(raw: object, member: str) -> list[Mapping[str, object]]:
    found = cast("Mapping[str, object]", raw).get(member) if isinstance(raw, Mapping) else None
    items = cast("list[object]", found) if isinstance(found, list) else []
    return [cast("Mapping[str, object]", item) for item in items if isinstance(item, Mapping)]


def _strings(mapping: Mapping[str, object], member: str) -> list[str]:
    value = mapping.get(member)
    values = cast("list[object]", value) if isinstance(value, list) else [value]
    return [item for item in values if isinstance(item, str)]


def _folded(mapping: Mapping[str, object], *members: str) -> list[str]:
    return [text.casefold() for member in members for text in _strings(mapping, member)]


def _all(tenants: Iterable[Mapping[str, object]], member: str) -> list[str]:
    return [text for tenant in tenants for text in _strings(tenant, member)]


def _repeated(values: Iterable[str]) -> list[str]:
    return [value for value, count in Counter(values).items() if count > 1]
