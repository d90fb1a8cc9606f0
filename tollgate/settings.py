"""The only reader of the environment and of tollgate.yaml (Contract 3 of the design)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, ValidationError

from tollgate.environment import journal_path, path_in, redis_url
from tollgate.errors import SettingsError
from tollgate.settings_problems import contradictions, not_empty, problem_lines
from tollgate.settings_sections import (
    BackendSettings,
    BackfillSettings,
    BreakerSettings,
    GatewaySettings,
    JournalSettings,
    RelaySettings,
    ResponsesSettings,
    RetrySettings,
    RoutingSettings,
    Section,
    TenantSettings,
)
from tollgate.settings_yaml import read_yaml


class Settings(Section):
    """All of tollgate.yaml."""

    gateway: GatewaySettings
    backends: Annotated[tuple[BackendSettings, ...], AfterValidator(not_empty)]
    breaker: BreakerSettings = BreakerSettings()
    retry: RetrySettings = RetrySettings()
    relay: RelaySettings = RelaySettings()
    routing: RoutingSettings = RoutingSettings()
    responses: ResponsesSettings = ResponsesSettings()
    journal: JournalSettings = JournalSettings()
    backfill: BackfillSettings = BackfillSettings()
    tenants: tuple[TenantSettings, ...] = ()
    unknown_billing_code: Literal["suspense", "reject"] = "suspense"


_UNENFORCED_LIMITS: Final = ("tokens_per_minute", "requests_per_minute", "tokens_per_month")


def not_enforced(settings: Settings) -> list[str]:
    """What these settings ask for and the gateway does not do yet, so that nobody relies on it."""
    return [
        f"tenants: {part} of {tenant.name!r} is read, but not enforced yet"
        for tenant in settings.tenants
        for part, asked in (
            *((f"limits.{name}", getattr(tenant.limits, name)) for name in _UNENFORCED_LIMITS),
            ("budget", tenant.budget),
        )
        if asked is not None
    ]


class Environment(Section):
    """What the environment says; an unset or empty variable is None."""

    config: Path | None
    redis_url: str | None
    archive: Path | None
    journal: Path | None
    eventgrid_topic_endpoint: str | None
    eventgrid_topic_key: str | None
    eventhub_connection: str | None = None
    eventhub_namespace: str | None = None
    eventhub_name: str | None = None
    webhook_keys: tuple[str, ...] | None = None
    tokenizer: Path | None = None
    log_analytics_workspace_id: str | None = None


DEFAULT_JOURNAL: Final = Path("data/journal")


def read_environment(environ: Mapping[str, str] = os.environ) -> Environment:
    """Read the variables that Tollgate knows."""

    def value(name: str) -> str | None:
        return environ.get(name) or None

    def keys(name: str) -> tuple[str, ...] | None:
        return tuple(key for key in (value(name) or "").split(",") if key) or None

    return Environment(
        config=path_in(environ, "TOLLGATE_CONFIG"),
        redis_url=redis_url(environ),
        archive=path_in(environ, "TOLLGATE_ARCHIVE"),
        journal=journal_path(environ),
        eventgrid_topic_endpoint=value("EVENTGRID_TOPIC_ENDPOINT"),
        eventgrid_topic_key=value("EVENTGRID_TOPIC_KEY"),
        eventhub_connection=value("EVENTHUB_CONNECTION"),
        eventhub_namespace=value("EVENTHUB_CONNECTION__fullyQualifiedNamespace"),
        eventhub_name=value("EVENTHUB_NAME"),
        webhook_keys=keys("TOLLGATE_WEBHOOK_KEY"),
        tokenizer=path_in(environ, "TIKTOKEN_CACHE_DIR"),
        log_analytics_workspace_id=value("LOG_ANALYTICS_WORKSPACE_ID"),
    )


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
