"""The fault matrix: what a region does to a call, and what becomes of it.

The rule in words: 429, 408, every 5xx and every failure of the connection before the first content
go to the next region; other answers go back to the client as they are; a stream that has shown its
content ends with an error.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal, NamedTuple

from serving import MINI, VECTORS

from tollgate.local.simulator.faults import (
    BreakBody,
    BreakStream,
    ContentFilter,
    ErrorAfterEarlyFrames,
    ErrorFirstFrame,
    ErrorMidStream,
    Fault,
    HttpError,
    NoUsageFrame,
    OddFraming,
    Refuse,
    Reset,
    ResponsesFailed,
    SlowFirstByte,
    SplitBytes,
    Throttle,
)

CHUNKED: Final = frozenset({"chat.completions", "completions"})
TEXT: Final = CHUNKED | {"responses"}
_SOUND: Final = frozenset({"audio.speech"})
_PICTURES: Final = frozenset({"images.generations", "images.edits"})
_FILE: Final = {"file": ("call.mp3", b"\xff\xfb\x90\x64" * 4_000, "audio/mpeg")}
_IMAGE: Final = {"image": ("pixel.png", b"\x89PNG\r\n\x1a\n" + b"\0" * 64, "image/png")}


class Shape(NamedTuple):
    """A call of one API.

    Args:
        api: As the event names it; with slashes it is the path.
        model: The deployment alias.
        members: Of the body; files are in a form.
        provenance: Of the event, when all goes well.
        early_frames: Frames of a stream that come before its content.
        shown_frames: Frames of a stream until some of its content is out; 0: no stream.
    """

    api: str
    model: str
    members: dict[str, Any]
    provenance: str = "measured"
    early_frames: int = 0
    shown_frames: int = 0

    @property
    def streamed(self) -> bool:
        """Whether a stream is asked for."""
        return self.shown_frames > 0


_SAY: Final = "Say hi in 20 words"
_CHAT: Final = {"messages": [{"role": "user", "content": _SAY}]}
_VERBOSE: Final = {**_FILE, "response_format": "verbose_json"}
_SPEECH: Final = {"input": "Guten Tag, Zürich. " * 10, "voice": "alloy"}
_STREAM: Final = {"stream": True}
_PARTIAL: Final = {**_STREAM, "prompt": "A ledger", "partial_images": 2}
SHAPES: Final = {
    "chat": Shape("chat.completions", MINI, _CHAT),
    "chat stream": Shape("chat.completions", MINI, _CHAT | _STREAM, "injected", 2, 8),
    "completions": Shape("completions", MINI, {"prompt": _SAY}),
    "completions stream": Shape("completions", MINI, {"prompt": _SAY} | _STREAM, "injected", 1, 8),
    "embeddings": Shape("embeddings", VECTORS, {"input": ["one", "two"]}),
    "responses": Shape("responses", MINI, {"input": _SAY}),
    "responses stream": Shape(
        "responses", MINI, {"input": _SAY} | _STREAM, early_frames=2, shown_frames=8
    ),
    "image": Shape("images.generations", "gpt-image-1", {"prompt": "A ledger"}),
    "image stream": Shape("images.generations", "gpt-image-1", _PARTIAL, shown_frames=1),
    "edit": Shape("images.edits", "gpt-image-1", {**_IMAGE, "prompt": "Bluer"}),
    "edit stream": Shape("images.edits", "gpt-image-1", _IMAGE | _PARTIAL, shown_frames=1),
    "transcript": Shape("audio.transcriptions", "gpt-4o-transcribe", _FILE),
    "transcript stream": Shape(
        "audio.transcriptions", "gpt-4o-transcribe", _FILE | _STREAM, shown_frames=2
    ),
    "translation": Shape("audio.translations", "whisper", _VERBOSE),
    "speech": Shape("audio.speech", "tts-1", _SPEECH, "estimated"),
    "speech stream": Shape(
        "audio.speech", "gpt-4o-mini-tts", {**_SPEECH, "stream_format": "sse"}, shown_frames=1
    ),
}

End = Literal["elsewhere", "unchanged", "served", "cut", "error shown"]
"""What the client gets: the next region's answer; the first one's error as it is; its answer;
the beginning of its stream and the gateway's error, or of its sound and a broken connection; the
beginning of its stream and the region's own error."""


class Detour(NamedTuple):
    """Something else stands in the place of the first region; see `fault_matrix_world`."""

    to: Literal["nobody", "unknown name", "no tls", "no http", "redirect"]


Made = Fault | Detour | Callable[[Shape], Fault]


class Row(NamedTuple):
    """A fault, and what is expected.

    Args:
        fault: What the first region does.
        end: What the client gets.
        open_s: How long the first region's breaker is open then; 0: closed.
        cost: Whether an event of its own says that the first attempt may have cost.
        status: The client's, if not 200.
        provenance: Of the event of the request, if not that of a good answer; "as text": estimated
            where text is what is billed, else unknown.
        on: Whom it can befall.
        apis: Which can have it; None: all.
        body: How the error looks that is passed on.
        late: It happens after the head of a stream of chat or completions went to the client,
            which names the first region then; those of the other APIs are held back.
    """

    fault: Made
    end: End
    open_s: float = 0
    cost: Literal["free", "may have cost"] = "free"
    status: int = 200
    provenance: str | None = None
    on: Literal["all", "streams", "plain"] = "all"
    apis: frozenset[str] | None = None
    body: Literal["json", "html", "empty"] = "json"
    late: bool = False

    def suits(self, shape: Shape) -> bool:
        """Whether a call can have the fault."""
        kinds = {"all", "streams" if shape.streamed else "plain"}
        return self.on in kinds and (self.apis is None or shape.api in self.apis)


def throttled(open_s: float, **how: Any) -> Row:
    """429: left alone for as long as it says; it has cost nothing."""
    return Row(Throttle(**how), "elsewhere", open_s)


def failed(status: int, open_s: float = 10, **how: Any) -> Row:
    """Asked elsewhere; what a region has begun may be billed, but not a 503."""
    cost = "free" if status == 503 else "may have cost"
    return Row(HttpError(status=status, **how), "elsewhere", open_s, cost)


def final(status: int, body: Literal["json", "html", "empty"] = "json", **how: Any) -> Row:
    """Another region would say the same: the client's own affair, and nobody's cost."""
    fault = HttpError(status=status, body=body, **how)
    return Row(fault, "unchanged", status=status, provenance="none", body=body)


def unreached(to: Literal["nobody", "unknown name", "no tls", "redirect"]) -> Row:
    """Nothing got there, so nothing was used; the region is left alone for a while."""
    return Row(Detour(to), "elsewhere", 10)


def lost(fault: Made, on: Literal["all", "streams", "plain"] = "all") -> Row:
    """It may be billed. One call does not close a region: it may be the call's own doing."""
    return Row(fault, "elsewhere", 0, "may have cost", on=on)


def lost_late(fault: Made) -> Row:
    """The same, of a stream that has begun, but not to say anything."""
    return Row(fault, "elsewhere", 0, "may have cost", on="streams", late=True)


def streams(fault: Made, end: End, provenance: str | None = None) -> Row:
    """It befalls streams that show content, and says nothing of the region."""
    return Row(fault, end, provenance=provenance, on="streams")


def _breaks(how: Literal["close", "reset"]) -> Callable[[Shape], Fault]:
    return lambda shape: BreakStream(after_frames=shape.shown_frames, how=how)


def _breaks_early(shape: Shape) -> Fault:
    return BreakStream(after_frames=shape.early_frames)


def _says_error(shape: Shape) -> Fault:
    return ErrorMidStream(after_frames=shape.shown_frames)


# What is passed on when all of it is here.
_WHOLE: Final = frozenset(shape.api for shape in SHAPES.values()) - _SOUND
_BLOCKED: Final = ContentFilter(on="prompt")
_CUT: Final = ContentFilter(on="completion")
_RESPONSES: Final = frozenset({"responses"})
ROWS: Final = {
    # The region has no room: the next one is asked at once.
    "429 retry-after and -ms": throttled(7, retry_after_s=7),
    "429 retry-after": throttled(7, retry_after_s=7, form="seconds"),
    "429 retry-after-ms": throttled(0.25, retry_after_ms=250, form="milliseconds"),
    "429 -ms before seconds": throttled(2.5, retry_after_s=9, retry_after_ms=2500),
    "429 http date": throttled(30, retry_after_s=30, form="http_date"),
    "429 reset of tokens": throttled(21, retry_after_s=21, form="ratelimit_reset"),
    "429 reset of requests": throttled(
        4, retry_after_s=4, form="ratelimit_reset", reason="requests"
    ),
    "429 reset as duration": throttled(
        65, retry_after_s=65, form="ratelimit_reset", reset_style="duration"
    ),
    "429 that says nothing": throttled(10, form="none"),
    "429 for a day": throttled(120, retry_after_s=86_400),
    # The region fails: the next one is asked at once.
    # It may be one slow client's: it takes three of them to leave a region alone.
    "408": failed(408, 0),
    "500": failed(500),
    "500 html": failed(500, body="html"),
    "502 empty": failed(502, body="empty"),
    "503": failed(503),
    "503 html, retry-after": failed(503, 3, body="html", retry_after_s=3),
    "504": failed(504),
    "529": failed(529),
    # The region is not there.
    "connection refused": unreached("nobody"),
    "unknown name": unreached("unknown name"),
    "tls fails": unreached("no tls"),
    "redirect": unreached("redirect"),
    # The region goes away before there is an answer.
    "closed without answer": lost(Refuse()),
    "reset": lost(Reset()),
    "no http": lost(Detour("no http")),
    "silent": lost(SlowFirstByte(delay_s=60)),
    "broken half way": Row(BreakBody(), "elsewhere", 0, "may have cost", on="plain", apis=_WHOLE),
    "stream breaks at once": lost(BreakStream(after_frames=0), on="streams"),
    "stream breaks before content": lost_late(_breaks_early),
    "stream begins with error": lost(ErrorFirstFrame(), on="streams"),
    "error before content": lost_late(ErrorAfterEarlyFrames()),
    # The request is at fault, or the client may not: nobody else is asked.
    "400": final(400),
    "401": final(401),
    "403": final(403),
    "403 html": final(403, body="html"),
    "404": final(404, code="DeploymentNotFound"),
    "409": final(409),
    "409 retry-after": final(409, retry_after_s=1),
    "413": final(413),
    "413 empty": final(413, body="empty"),
    "422": final(422),
    "499": final(499),
    "prompt blocked": Row(
        _BLOCKED, "unchanged", status=400, provenance="estimated", apis=TEXT | _PICTURES
    ),
    "picture blocked": Row(_CUT, "unchanged", status=400, provenance="estimated", apis=_PICTURES),
    # The answer is odd, but an answer.
    "answer cut by filter": Row(_CUT, "served", apis=TEXT),
    "failed response": Row(ResponsesFailed(with_usage=True), "served", apis=_RESPONSES),
    "split bytes": streams(SplitBytes(largest_bytes=5), "served"),
    "odd framing": streams(OddFraming(), "served"),
    "no usage": streams(NoUsageFrame(), "served", "as text"),
    # The stream is with the client already: it cannot begin anew.
    "stream breaks": streams(_breaks("close"), "cut", "as text"),
    "stream is reset": streams(_breaks("reset"), "cut", "as text"),
    # So it is with sound, which has no other way to say so than to break off too.
    "sound breaks": Row(BreakBody(), "cut", on="plain", apis=_SOUND),
    "error in stream": streams(_says_error, "error shown", "as text"),
}

CASES: Final = [
    (fault, shape)
    for fault, row in ROWS.items()
    for shape, call in SHAPES.items()
    if row.suits(call)
]
