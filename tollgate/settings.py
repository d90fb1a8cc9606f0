"""The only reader of the environment and of tollgate.yaml (Contract 3 of the design)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StringConstraints,
    ValidationError,
)

from tollgate.errors import SettingsError
from tollgate.settings_problems import (
    AUTH,
    CURRENCY,
    KEY_HASH,
    NAME,
    URL,
    contradictions,
    exact_amount,
    not_empty,
    problem_lines,
)
from tollgate.settings_yaml import read_yaml

MANAGED_IDENTITY: Final = "managed_identity"

# Strict: "3" is no number, true is no number, and a number is no name.
Name = Annotated[str, StringConstraints(min_length=1, max_length=256, pattern=NAME)]
KeyHash = Annotated[str, StringConstraints(pattern=KEY_HASH)]
Auth = Annotated[str, StringConstraints(pattern=AUTH)]
Whole = Annotated[int, Field(strict=True, ge=0)]
PositiveWhole = Annotated[int, Field(strict=True, gt=0)]
Positive = Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)]


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
    ptu: PositiveWhole | None = None


class BackendSettings(_Section):
    """One Azure OpenAI resource."""

    name: Name
    url: Annotated[str, StringConstraints(pattern=URL)]
    region: Name
    priority: Whole = 1
    weight: PositiveWhole = 100
    auth: Auth
    deployments: Annotated[dict[Name, DeploymentSettings], AfterValidator(not_empty)]


class BreakerSettings(_Section):
    """When a backend's deployment is left alone, and for how long."""

    failures: PositiveWhole = 1
    window_s: Positive = 10
    open_s: Positive = 10
    honour_retry_after: StrictBool = True
    max_retry_after_s: Positive = 120


class RetrySettings(_Section):
    """How often one request is tried, and how long a backend may stay silent."""

    attempts: PositiveWhole = 3
    first_byte_timeout_s: Positive = 60
    answer_timeout_s: Positive = 240


class RelaySettings(_Section):
    """Bounds on what one request may hold on to."""

    max_request_bytes: PositiveWhole = 32 * 1024 * 1024
    max_answer_bytes: PositiveWhole = 64 * 1024 * 1024
    drain_timeout_s: Positive = 60


class LimitSettings(_Section):
    """What a tenant may use."""

    tokens_per_minute: PositiveWhole | None = None
    requests_per_minute: PositiveWhole | None = None
    tokens_per_month: PositiveWhole | None = None


class BudgetSettings(_Section):
    """What a tenant may spend in a month."""

    amount: Annotated[Decimal, BeforeValidator(exact_amount)]
    currency: Annotated[str, StringConstraints(pattern=CURRENCY)]
    action: Literal["block", "warn"] = "warn"
    alert_at: tuple[Positive, ...] = (0.5, 0.8, 1.0)


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
    backends: Annotated[tuple[BackendSettings, ...], AfterValidator(not_empty)]
    breaker: BreakerSettings = BreakerSettings()
    retry: RetrySettings = RetrySettings()
    relay: RelaySettings = RelaySettings()
    tenants: tuple[TenantSettings, ...] = ()
    unknown_billing_code: Literal["suspense", "reject"] = "suspense"


def not_enforced(settings: Settings) -> list[str]:
    """What these settings ask for and the gateway does not do yet, so that nobody relies on it."""
    return [
        f"tenants: {part} of {tenant.name!r} is read, but not enforced yet"
        for tenant in settings.tenants
        for part, asked in (
            ("limits", tenant.limits != LimitSettings()),
            ("budget", tenant.budget is not None),
            ("priority", tenant.priority is not None),
        )
        if asked
    ]


class Environment(_Section):
    """What the environment says; an unset or empty variable is None."""

    config: Path | None
    redis_url: str | None
    archive: Path | None
    journal: Path | None
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
        journal=path("TOLLGATE_JOURNAL"),
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
    raw, problems = read_yaml(path)
    return check_settings(raw, str(path), problems)


def check_settings(
    raw: object, where: str = "tollgate.yaml", problems: list[str] | None = None
) -> Settings:
    """Check settings that are already read.

    Args:
        raw: What the file holds.
        where: The file's name, for the messages.
        problems: What was found in it before.

    Raises:
        SettingsError: With every problem found, each with its place.
    """
    found = [*(problems or []), *contradictions(raw)]
    settings: Settings | None = None
    try:
        settings = Settings.model_validate(raw)
    except ValidationError as error:
        found = [*problem_lines(error), *found]
    if settings is None or found:
        raise SettingsError([f"{where}: {problem}" for problem in found])
    return settings
