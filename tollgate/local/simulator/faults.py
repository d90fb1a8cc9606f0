"""The ways in which a region can be told to misbehave, as its admin endpoint takes them.

Each kind is one model; `{"kind": "throttle", "retry_after_s": 2}` is a fault in JSON. Faults that
replace the answer come one at a time; the others may come together.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, NonNegativeInt, PositiveInt

from tollgate.local.simulator.routes import Operation

_FILTERED: frozenset[Operation] = frozenset(
    {"chat.completions", "completions", "responses", "images.generations", "images.edits"}
)


@dataclass(frozen=True, slots=True)
class Subject:
    """The call that a fault may befall."""

    operation: Operation
    deployment: str | None
    streamed: bool


class FaultBase(BaseModel):
    """What every fault has.

    Attributes:
        deployment: Only calls to this deployment; None: all.
        operation: Only calls of this operation; None: all.
        times: How many calls it befalls; None: until it is deleted.
        probability: Share of the calls that it befalls, from 0 to 1.
        seed: Seed of the draws that `probability` needs.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    replaces_answer: ClassVar[bool] = False
    befalls: ClassVar[Literal["all", "streams", "plain"]] = "all"
    operations: ClassVar[frozenset[Operation] | None] = None

    deployment: str | None = None
    operation: Operation | None = None
    times: PositiveInt | None = None
    probability: Annotated[float, Field(gt=0, le=1)] = 1.0
    seed: int = 0

    def suits(self, subject: Subject) -> bool:
        """Whether the fault can befall the call at all."""
        return (
            self.deployment in {None, subject.deployment}
            and self.operation in {None, subject.operation}
            and (self.operations is None or subject.operation in self.operations)
            and self.befalls in {"all", "streams" if subject.streamed else "plain"}
        )


class Throttle(FaultBase):
    """429.

    Attributes:
        retry_after_s: Seconds to wait, as the headers state them.
        retry_after_ms: Milliseconds for `retry-after-ms`; None: the same time as `retry_after_s`.
        form: Which headers state the time: both, one of them, `retry-after` as an HTTP date,
            `x-ratelimit-reset-requests` or `-tokens` by `reason` and nothing else, or none.
        reset_style: How `x-ratelimit-reset-*` is written: "60" as Azure does, or "1m0s" as
            OpenAI does.
        reason: What the message says is exceeded.
    """

    replaces_answer: ClassVar[bool] = True

    kind: Literal["throttle"] = "throttle"
    retry_after_s: NonNegativeInt = 1
    retry_after_ms: NonNegativeInt | None = None
    form: Literal["both", "seconds", "milliseconds", "http_date", "ratelimit_reset", "none"] = (
        "both"
    )
    reset_style: Literal["seconds", "duration"] = "seconds"
    reason: Literal["tokens", "requests", "high_demand"] = "tokens"


class HttpError(FaultBase):
    """An HTTP error.

    Attributes:
        status: Its status.
        body: Azure's JSON, the HTML page of a front door, or nothing.
        code: `error.code`; None: the one that Azure has for the status.
        message: `error.message`; None: the one that Azure has for the status.
        retry_after_s: Seconds in `retry-after`; None: no header.
    """

    replaces_answer: ClassVar[bool] = True

    kind: Literal["error"] = "error"
    status: Annotated[int, Field(ge=400, le=599)] = 500
    body: Literal["json", "html", "empty"] = "json"
    code: str | None = None
    message: str | None = None
    retry_after_s: NonNegativeInt | None = None


class Refuse(FaultBase):
    """The connection is closed without an answer."""

    replaces_answer: ClassVar[bool] = True

    kind: Literal["refuse"] = "refuse"


class Reset(FaultBase):
    """The connection is reset (RST) before the answer."""

    replaces_answer: ClassVar[bool] = True

    kind: Literal["reset"] = "reset"


class SlowFirstByte(FaultBase):
    """The answer, whatever it is, begins `delay_s` seconds late."""

    kind: Literal["slow_first_byte"] = "slow_first_byte"
    delay_s: NonNegativeFloat


class SlowFrames(FaultBase):
    """`delay_s` seconds pass between two frames of a stream."""

    befalls: ClassVar[Literal["all", "streams", "plain"]] = "streams"

    kind: Literal["slow_frames"] = "slow_frames"
    delay_s: NonNegativeFloat


class BreakStream(FaultBase):
    """The connection is cut after `after_frames` frames, the chunked body unfinished.

    Attributes:
        after_frames: Frames sent whole; the first one of Azure's is the prompt filter's.
        how: By closing the connection (FIN) or by resetting it (RST).
    """

    befalls: ClassVar[Literal["all", "streams", "plain"]] = "streams"

    kind: Literal["break_stream"] = "break_stream"
    after_frames: NonNegativeInt = 3
    how: Literal["close", "reset"] = "close"


class BreakBody(FaultBase):
    """Half of an unstreamed answer's body is sent, then the connection is closed."""

    befalls: ClassVar[Literal["all", "streams", "plain"]] = "plain"

    kind: Literal["break_body"] = "break_body"


class ErrorFirstFrame(FaultBase):
    """A stream with status 200 whose only frame is an error."""

    befalls: ClassVar[Literal["all", "streams", "plain"]] = "streams"

    kind: Literal["error_first_frame"] = "error_first_frame"
    code: str = "InternalServerError"
    message: str = "The server had an error while processing your request."


class ErrorAfterEarlyFrames(FaultBase):
    """A stream whose opening is right (prompt filter, role; created, in_progress), then an error.

    No content is sent before the error frame, and nothing is billed.
    """

    befalls: ClassVar[Literal["all", "streams", "plain"]] = "streams"

    kind: Literal["error_after_early_frames"] = "error_after_early_frames"
    code: str = "InternalServerError"
    message: str = "The server had an error while processing your request."


class ErrorMidStream(FaultBase):
    """A stream ends with an error frame after `after_frames` frames."""

    befalls: ClassVar[Literal["all", "streams", "plain"]] = "streams"

    kind: Literal["error_mid_stream"] = "error_mid_stream"
    after_frames: PositiveInt = 3
    code: str = "InternalServerError"
    message: str = "The server had an error while processing your request."


class NoUsageFrame(FaultBase):
    """The usage that a stream should end with is not sent."""

    befalls: ClassVar[Literal["all", "streams", "plain"]] = "streams"

    kind: Literal["no_usage_frame"] = "no_usage_frame"


class SplitBytes(FaultBase):
    """A stream is written in pieces of 1 to `largest_bytes` bytes that respect no boundary."""

    befalls: ClassVar[Literal["all", "streams", "plain"]] = "streams"

    kind: Literal["split_bytes"] = "split_bytes"
    largest_bytes: PositiveInt = 7


class OddFraming(FaultBase):
    """A stream has CRLF line ends, comments, and no space after `data:`; all are allowed."""

    befalls: ClassVar[Literal["all", "streams", "plain"]] = "streams"

    kind: Literal["odd_framing"] = "odd_framing"


class ContentFilter(FaultBase):
    """The content filter blocks the prompt (400), or cuts the answer half way (200).

    An image cannot be cut: it is refused either way.
    """

    operations: ClassVar[frozenset[Operation] | None] = _FILTERED

    kind: Literal["content_filter"] = "content_filter"
    on: Literal["prompt", "completion"] = "completion"


class ResponsesFailed(FaultBase):
    """A response of the Responses API ends with status "failed".

    Attributes:
        code: Code of the response's error.
        message: Its text.
        with_usage: Whether the failed response states its usage.
    """

    operations: ClassVar[frozenset[Operation] | None] = frozenset({"responses"})

    kind: Literal["responses_failed"] = "responses_failed"
    code: str = "server_error"
    message: str = "The model failed to generate a response."
    with_usage: bool = False


Fault: TypeAlias = Annotated[
    Throttle
    | HttpError
    | Refuse
    | Reset
    | SlowFirstByte
    | SlowFrames
    | BreakStream
    | BreakBody
    | ErrorFirstFrame
    | ErrorAfterEarlyFrames
    | ErrorMidStream
    | NoUsageFrame
    | SplitBytes
    | OddFraming
    | ContentFilter
    | ResponsesFailed,
    Field(discriminator="kind"),
]


class FaultOrder(BaseModel):
    """The body of `POST /admin/faults`."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    faults: Annotated[list[Fault], Field(min_length=1)]
