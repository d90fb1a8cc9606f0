"""The sections of tollgate.yaml, and what each value may be (Contract 3 of the design)."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Final, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StringConstraints,
    model_validator,
)

from tollgate.settings_problems import (
    API_ID,
    AUTH,
    CURRENCY,
    HEADER_NAME,
    KEY_HASH,
    NAME,
    URL,
    exact_amount,
    not_empty,
)

MANAGED_IDENTITY: Final = "managed_identity"

# Strict: "3" is no number, true is no number, and a number is no name.
Name = Annotated[str, StringConstraints(min_length=1, max_length=256, pattern=NAME)]
ApiId = Annotated[str, StringConstraints(pattern=API_ID)]
KeyHash = Annotated[str, StringConstraints(pattern=KEY_HASH)]
Auth = Annotated[str, StringConstraints(pattern=AUTH)]
Whole = Annotated[int, Field(strict=True, ge=0)]
PositiveWhole = Annotated[int, Field(strict=True, gt=0)]
Positive = Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)]


class Section(BaseModel):
    """A mapping with known keys only."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class GatewaySettings(Section):
    """Who we are, and who may speak for callers."""

    id: Name
    trusted_callers: tuple[KeyHash, ...] = ()


class KeptForHighSettings(Section):
    """What low-priority requests must leave of a deployment's capacity."""

    tokens: Whole = 0
    requests: Whole = 0


class DeploymentSettings(Section):
    """What stands behind an alias on one backend, and how much it can take."""

    name: Name
    model: Name
    version: Name | None = None
    deployment_type: Literal["standard", "provisioned", "batch", "developer"] = "standard"
    scope: Literal["regional", "data_zone", "global"] = "regional"
    ptu: PositiveWhole | None = None
    tokens_per_minute: PositiveWhole | None = None
    requests_per_10s: PositiveWhole | None = None
    kept_for_high: KeptForHighSettings = KeptForHighSettings()

    @model_validator(mode="after")
    def _capacity_is_known(self) -> Self:
        """What is kept of a capacity that nobody knows would be kept of nothing."""
        kept = self.kept_for_high
        for what, capacity in (
            ("tokens", "tokens_per_minute"),
            ("requests", "requests_per_10s"),
        ):
            if getattr(kept, what) and getattr(self, capacity) is None:
                raise ValueError(f"kept_for_high.{what} needs {capacity} beside it")
        return self


class BackendSettings(Section):
    """One Azure OpenAI resource."""

    name: Name
    url: Annotated[str, StringConstraints(pattern=URL)]
    region: Name
    priority: Whole = 1
    weight: PositiveWhole = 100
    auth: Auth
    deployments: Annotated[dict[Name, DeploymentSettings], AfterValidator(not_empty)]


class LatencySettings(Section):
    """Prefer the fastest backend of a priority group."""

    within: Annotated[float, Field(strict=True, ge=1, allow_inf_nan=False)] = 1.25
    stale_s: Positive = 30


class GeographySettings(Section):
    """Prefer the backends that are near to the client."""

    header: Annotated[str, StringConstraints(pattern=HEADER_NAME)] | None = None
    regions: dict[Name, tuple[Name, ...]] = {}


class RoutingSettings(Section):
    """Which backend of a priority group comes first, before the weights; off unless set."""

    latency: LatencySettings | None = None
    geography: GeographySettings | None = None


class BreakerSettings(Section):
    """When a backend's deployment is left alone, and for how long."""

    failures: PositiveWhole = 1
    window_s: Positive = 10
    open_s: Positive = 10
    honour_retry_after: StrictBool = True
    max_retry_after_s: Positive = 120


class RetrySettings(Section):
    """How often one request is tried, and how long a backend may stay silent."""

    attempts: PositiveWhole = 3
    first_byte_timeout_s: Positive = 60
    answer_timeout_s: Positive = 240


class RelaySettings(Section):
    """Bounds on what one request may hold on to."""

    max_request_bytes: PositiveWhole = 32 * 1024 * 1024
    max_answer_bytes: PositiveWhole = 64 * 1024 * 1024
    drain_timeout_s: Positive = 60
    drain_tokens: PositiveWhole = 16_384
    body_timeout_s: Positive = 60
    max_stream_s: Positive = 3600


class JournalSettings(Section):
    """How much of the disk the journal may take before new calls are refused."""

    max_bytes: PositiveWhole = 1024 * 1024 * 1024


class BackfillSettings(Section):
    """Whose calls API Management's log is read for, where no proxy stands behind it."""

    gateway: Name | None = None
    apis: tuple[ApiId, ...] = ()

    @model_validator(mode="after")
    def _gateway_is_known(self) -> Self:
        """An event without its gateway's id would be another event."""
        if self.apis and self.gateway is None:
            raise ValueError("apis needs gateway beside it, the id in the events of these APIs")
        return self


class ResponsesSettings(Section):
    """How responses that run in the background are followed, and how long responses are known."""

    poll_s: Positive = 5
    longest_poll_s: Positive = 300
    give_up_s: Positive = 86_400
    kept_s: Positive = 30 * 86_400


class LimitSettings(Section):
    """What a tenant may use."""

    tokens_per_minute: PositiveWhole | None = None
    requests_per_minute: PositiveWhole | None = None
    tokens_per_month: PositiveWhole | None = None
    concurrent_requests: PositiveWhole | None = None


class BudgetSettings(Section):
    """What a tenant may spend in a month."""

    amount: Annotated[Decimal, BeforeValidator(exact_amount)]
    currency: Annotated[str, StringConstraints(pattern=CURRENCY)]
    action: Literal["block", "warn"] = "warn"
    alert_at: tuple[Positive, ...] = (0.5, 0.8, 1.0)


class TenantSettings(Section):
    """A payer, how it is recognised, and what it may charge to."""

    name: Name
    aliases: tuple[Name, ...] = ()
    keys: tuple[KeyHash, ...] = ()
    subscriptions: tuple[Name, ...] = ()
    billing_codes: tuple[Name, ...] = ()
    priority: Literal["high", "low"] | None = None
    region: Name | None = None
    limits: LimitSettings = LimitSettings()
    budget: BudgetSettings | None = None
