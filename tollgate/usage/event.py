"""The usage event, version 1: a CloudEvents 1.0 JSON object (usage_event.v1.json)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Annotated, Any, Final, Generic, Literal

import msgspec
from typing_extensions import TypeVar

from tollgate.errors import InvalidEvent
from tollgate.usage.canonical_body import body_digest, canonical, present_members
from tollgate.usage.times import cut_to_ms, is_utc_ms, rfc3339_ms
from tollgate.usage.tokens import NO_TOKENS, Count, Tokens

EVENT_TYPE: Final = "tollgate.usage.v1"
MAX_EVENT_BYTES: Final = 1_000_000  # Event Grid takes events up to 1 MB
MAX_UNITS: Final = 32
YEARS: Final = range(2000, 9999)  # an earlier time is a clock that was never set

CONTROL_CHARACTER: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")

# Names are shown to people and stand in logs and files: no control characters, no line ends.
Name = Annotated[
    str,
    msgspec.Meta(
        min_length=1, max_length=256, pattern=r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$(?!\n)"
    ),
]
# What decoding makes sure of in a name; in Python it is a `str`.
NameT = TypeVar("NameT", bound=str, default=str)
UnitName = Annotated[str, msgspec.Meta(max_length=64, pattern=r"^[a-z][a-z0-9_:.x-]*$(?!\n)")]
DeploymentType = Literal["standard", "provisioned", "batch", "developer"]
Scope = Literal["regional", "data_zone", "global"]
Provenance = Literal[
    "measured", "injected", "estimated", "backfilled", "pending", "unknown", "none"
]

COMPLETABLE: Final = frozenset({"pending", "estimated", "unknown"})
_UNCOUNTED: Final = frozenset({"pending", "unknown"})
_COUNTED: Final = frozenset({"measured", "injected", "estimated", "backfilled"})


class UsageData(msgspec.Struct, Generic[NameT], frozen=True, kw_only=True):
    """What one request used, who pays for it, and what served it.

    Raises:
        ValueError: The provenance contradicts the counts.
    """

    gateway: NameT
    tenant: NameT
    billing_code: NameT | None
    api: NameT
    deployment: NameT | None
    model: NameT | None
    provenance: Provenance
    tokens: Tokens | None
    user: NameT | None = None
    subscription: NameT | None = None
    model_version: NameT | None = None
    deployment_type: DeploymentType | None = None
    scope: Scope | None = None
    service_tier: NameT | None = None
    backend: NameT | None = None
    region: NameT | None = None
    status: Annotated[int, msgspec.Meta(ge=0, le=999)] | None = None
    streamed: bool = False
    cancelled: bool = False
    delivered: bool = True
    cache_hit: bool = False
    attempts: Count = 1
    latency_ms: Count | None = None
    first_token_ms: Count | None = None
    priority: Literal["high", "low"] | None = None
    response_id: NameT | None = None
    completes: bool = False
    units: Annotated[dict[UnitName, Count], msgspec.Meta(max_length=MAX_UNITS)] = {}
    saved: Tokens | None = None

    def __post_init__(self) -> None:
        if self.provenance in _COUNTED and self.tokens is not None and not self.units:
            return  # the most usual one, which nothing below can contradict
        counted = self.tokens is not None or bool(self.units)
        if self.provenance in _UNCOUNTED and counted:
            raise ValueError(f"provenance {self.provenance} must have tokens null and no units")
        if self.provenance not in _UNCOUNTED and not counted:
            raise ValueError(f"provenance {self.provenance} must have tokens or units")
        if self.provenance == "none" and (self.tokens != NO_TOKENS or any(self.units.values())):
            raise ValueError("provenance none must have tokens 0 and no units")
        if tokens_as_units := self.units.keys() & set(Tokens.__struct_fields__):
            raise ValueError(f"units: {min(tokens_as_units)} is counted in tokens")
        if self.completes and self.provenance in _UNCOUNTED:
            raise ValueError(f"a completion cannot be {self.provenance}")


class UsageEvent(msgspec.Struct, Generic[NameT], frozen=True, kw_only=True):
    """A CloudEvent around `UsageData`; `time` is when the response completed, UTC."""

    id: NameT
    source: NameT
    time: Annotated[datetime, msgspec.Meta(tz=True)]
    data: UsageData[NameT]
    subject: Annotated[str, msgspec.Meta(min_length=1, max_length=1024)]
    type: Literal["tollgate.usage.v1"]
    specversion: Literal["1.0"]
    datacontenttype: Literal["application/json"] = "application/json"


class ReceivedEvent(msgspec.Struct, frozen=True):
    """An event as it came, with what tells a duplicate from a conflict.

    Args:
        event: The decoded event; `time` is UTC, cut to milliseconds.
        key: 128-bit digest of (gateway, id): the idempotency key.
        body: 64-bit digest of the canonical JSON of type, subject, time and data, unknown members
            of `data` included.
        raw: The bytes as received.
    """

    event: UsageEvent
    key: bytes
    body: bytes
    raw: bytes


_ShortName = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
_decoder: Final = msgspec.json.Decoder(UsageEvent[Name])
_decoder_of_plain: Final = msgspec.json.Decoder(UsageEvent[_ShortName])
_members: Final = msgspec.json.Decoder(dict[str, Any])

_PresentTokens: Final = present_members(Tokens, {})
_PresentData: Final = present_members(
    UsageData, {"tokens": _PresentTokens, "saved": _PresentTokens}
)
# How an event states what tells its body from others.
_Spelling: Final = msgspec.defstruct("Spelling", [("time", str), ("data", _PresentData)], gc=False)
_spelling: Final[msgspec.json.Decoder[Any]] = msgspec.json.Decoder(_Spelling)


def decode_event(raw: bytes) -> ReceivedEvent:
    """Decode one CloudEvent in JSON.

    Raises:
        InvalidEvent: The bytes are not a usage event v1; the message says what and where.
    """
    if len(raw) > MAX_EVENT_BYTES:
        raise InvalidEvent(f"{len(raw)} bytes is more than the limit of {MAX_EVENT_BYTES}")
    try:
        received = (_is_plain(raw) and _decode_plain(raw)) or _decode_any(raw)
    except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError) as error:
        raise InvalidEvent(_readable(str(error))) from None
    if received.event.time.year not in YEARS:
        raise InvalidEvent(f"its time lies outside the years {YEARS[0]} to {YEARS[-1]}")
    return received


def decode_usage(raw: bytes) -> UsageEvent:
    """Decode one CloudEvent without its digests; its time may have more than milliseconds.

    Raises:
        InvalidEvent: As `decode_event`.
    """
    if len(raw) <= MAX_EVENT_BYTES and _is_plain(raw):
        try:
            event = _decoder_of_plain.decode(raw)
        except msgspec.MsgspecError as error:
            raise InvalidEvent(_readable(str(error))) from None
        time = event.time
        # the decoder may have rounded a time up, into the next hour
        if time.tzinfo is UTC and (time.microsecond or time.second) and time.year in YEARS:
            return event
    return decode_event(raw).event


def _is_plain(raw: bytes) -> bool:
    """Whether no string in it can have a control character: JSON has those below 32 escaped."""
    return raw.isascii() and b"\\" not in raw and b"\x7f" not in raw


def _decode_plain(raw: bytes) -> ReceivedEvent | None:
    """The same as `_decode_any`, three times as fast, for events as nearly all are; else None."""
    event = _decoder_of_plain.decode(raw)
    try:
        spelling = _spelling.decode(raw)
    except msgspec.ValidationError:  # it has members that we do not know
        return None
    if not is_utc_ms(spelling.time):
        return None
    data = canonical.encode(spelling.data)
    body = body_digest(event.type, event.subject, spelling.time, data)
    return ReceivedEvent(event, event_key(event), body, raw)


def _decode_any(raw: bytes) -> ReceivedEvent:
    event, members = _decoder.decode(raw), _members.decode(raw)
    event = msgspec.structs.replace(event, time=cut_to_ms(members["time"]))
    data = canonical.encode(members["data"])
    body = body_digest(event.type, event.subject, rfc3339_ms(event.time), data)
    return ReceivedEvent(event, event_key(event), body, raw)


class _OnTheWire(msgspec.Struct, frozen=True):
    """A `UsageEvent` whose time is written already: the encoder's own has microseconds."""

    id: str
    source: str
    time: str
    data: UsageData
    subject: str
    type: str
    specversion: str
    datacontenttype: str


_encoder: Final = msgspec.json.Encoder()


def encode_event(event: UsageEvent) -> bytes:
    """Encode as CloudEvents JSON, with `time` in RFC 3339 to the millisecond."""
    return _encoder.encode(
        _OnTheWire(
            event.id,
            event.source,
            rfc3339_ms(event.time),
            event.data,
            event.subject,
            event.type,
            event.specversion,
            event.datacontenttype,
        )
    )


class Template:
    """An encoded event that others differ from in nothing but their id and time.

    Args:
        event: Any one of them.

    Attributes:
        data: What they all say.
    """

    def __init__(self, event: UsageEvent) -> None:
        self.data = event.data
        # `id` comes first on the wire, and a quote within another member is escaped
        rest = encode_event(event).removeprefix(b'{"id":' + _encoder.encode(event.id))
        time = b'"time":"' + rfc3339_ms(event.time).encode() + b'"'
        between, _, after = rest.partition(time)
        self._parts = b'{"id":', between + b'"time":"', b'"' + after

    def encode(self, event_id: str, time: datetime) -> bytes:
        """The event with that id and time, as `encode_event` would encode it."""
        before, between, after = self._parts
        when = rfc3339_ms(time.astimezone(UTC)).encode()
        return b"".join((before, _encoder.encode(event_id), between, when, after))


def event_key(event: UsageEvent) -> bytes:
    """The 128-bit idempotency key: a digest of (gateway, id)."""
    return blake2b(msgspec.json.encode([event.data.gateway, event.id]), digest_size=16).digest()


def usage_event(event_id: str, time: datetime, data: UsageData) -> UsageEvent:
    """The event for `data`, with the CloudEvents attributes that follow from it.

    Args:
        event_id: The gateway's request id, with `.aN` behind it for an undelivered attempt.
        time: When the response completed; must carry a time zone. What is finer than milliseconds
            does not travel.
        data: What was used.
    """
    return UsageEvent(
        specversion="1.0",
        type=EVENT_TYPE,
        id=event_id,
        source=f"/gateways/{data.gateway}",
        subject=f"{data.tenant}/{data.billing_code}" if data.billing_code else data.tenant,
        time=time if time.tzinfo is UTC else time.astimezone(UTC),
        data=data,
    )


def _readable(reason: str) -> str:
    """The decoder's reason, with its regular expressions put into words."""
    return re.sub(
        r"`str` matching regex '.*?'( - at|$)", r"a name without control characters\1", reason
    )
