"""What a simulated region is: its name, its keys, its deployments."""

import re
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, PositiveInt

from tollgate.local.simulator.model_families import Family, family_of

_DATED_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}")

_REGION_LABELS = {
    "australiaeast": "Australia East",
    "canadaeast": "Canada East",
    "eastus": "East US",
    "eastus2": "East US 2",
    "francecentral": "France Central",
    "germanywestcentral": "Germany West Central",
    "japaneast": "Japan East",
    "northcentralus": "North Central US",
    "northeurope": "North Europe",
    "norwayeast": "Norway East",
    "polandcentral": "Poland Central",
    "southcentralus": "South Central US",
    "swedencentral": "Sweden Central",
    "switzerlandnorth": "Switzerland North",
    "uksouth": "UK South",
    "westeurope": "West Europe",
    "westus": "West US",
    "westus3": "West US 3",
}


def region_label(region: str) -> str:
    """The region as Azure writes it in headers and messages ("westeurope" -> "West Europe")."""
    return _REGION_LABELS.get(region, region)


class SimulatedDeployment(BaseModel):
    """One model deployment of a region.

    Attributes:
        model: Base model, such as "gpt-4o-mini". A name that starts with "o" reasons; names such
            as "text-embedding-3-small", "gpt-image-1", "dall-e-3", "gpt-4o-transcribe", "whisper"
            and "gpt-4o-mini-tts" do what these models do, and nothing else.
        version: Model version; a dated one is a part of the `model` that answers bear.
        tokens_per_minute: Quota in tokens; above it the region answers 429. None: never.
        requests_per_10s: Quota in requests; above it the region answers 429. None: never. Azure
            sets a thousandth of the tokens per minute, rounded up.
        quota_counts: What the token quota counts of a request on arrival: prompt and the most
            that the answer may take, or the latter alone.
        context_tokens: Longest prompt and answer together; above it the region answers 400.
        answer_tokens: Length of an answer that nothing limits; None: 16 to 63, by the prompt.
        dimensions: Length of an embedding that the request does not size.
        service_tiers: The tiers that a request gets if it asks for them; others get "default".
        served_region: Where the model ran, for global and data zone deployments.
        spillover: The deployment that serves when this one answers 429, 500 or 503.
        asynchronous_filter: Streams bear the late frames of the asynchronous content filter.
        first_byte_s: Seconds before the first byte of every answer.
        between_frames_s: Seconds between two frames of a stream.
        token_latency_ms: Milliseconds for each generated token of text: streams are paced by it;
            whole answers take it times the limit asked for, or times the tokens generated.
        background_s: Seconds that a background response takes, the first half of them queued.
            None: it moves on with each retrieval instead.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: Annotated[str, Field(min_length=1)]
    version: Annotated[str, Field(min_length=1)]
    tokens_per_minute: PositiveInt | None = None
    requests_per_10s: PositiveInt | None = None
    quota_counts: Literal["prompt_and_answer", "answer"] = "prompt_and_answer"
    context_tokens: PositiveInt = 128_000
    answer_tokens: PositiveInt | None = None
    dimensions: PositiveInt = 1536
    service_tiers: tuple[str, ...] = ("default",)
    served_region: str | None = None
    spillover: str | None = None
    asynchronous_filter: bool = False
    first_byte_s: NonNegativeFloat = 0.0
    between_frames_s: NonNegativeFloat = 0.0
    token_latency_ms: NonNegativeFloat = 0.0
    background_s: NonNegativeFloat | None = None

    @property
    def full_model(self) -> str:
        """The `model` of an answer: "gpt-4o-mini-2024-07-18", "text-embedding-3-small"."""
        dated = _DATED_VERSION.match(self.version)
        return f"{self.model}-{self.version}" if dated else self.model

    @property
    def reasons(self) -> bool:
        """Whether the model reasons without being asked, and rejects `max_tokens`."""
        return self.model.startswith("o")

    @property
    def family(self) -> Family:
        """The kind of model, which decides what the deployment can be asked for."""
        return family_of(self.model)

    @property
    def embeds(self) -> bool:
        """Whether the model answers embeddings, and nothing else."""
        return self.family == "embedding"


class RegionSettings(BaseModel):
    """One Azure OpenAI resource.

    Attributes:
        name: Name of the resource, such as "weu-1".
        region: Azure region, such as "westeurope".
        keys: What `api-key` or the bearer token must be; never shown nor logged.
        deployments: Deployment name to what stands behind it.
        blocked_word: A prompt that holds it is refused by the content filter; None: no prompt is.
        max_body_bytes: Longest request body; above it the region answers 413.
        log_requests: Requests that the log keeps; older ones are dropped and counted.
        stored_responses: Stored answers of the Responses API that are kept.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(min_length=1)]
    region: Annotated[str, Field(min_length=1)]
    keys: Annotated[
        tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1, repr=False)
    ]
    deployments: dict[str, SimulatedDeployment]
    blocked_word: str | None = "simulated-violation"
    max_body_bytes: PositiveInt = 16 * 1024 * 1024
    log_requests: PositiveInt = 100_000
    stored_responses: PositiveInt = 10_000

    @property
    def label(self) -> str:
        """The region as Azure writes it ("West Europe")."""
        return region_label(self.region)
