"""Replies with generated text: chat, completions, responses; whole or streamed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from tollgate.local.simulator.bodies import ChatBody, CompletionBody, ResponseBody
from tollgate.local.simulator.chat_answers import chat_answer, completion_answer
from tollgate.local.simulator.chat_frames import Dialect, chat_frames
from tollgate.local.simulator.envelopes import Envelope
from tollgate.local.simulator.exchanges import Exchange, PlainReply, StreamReply
from tollgate.local.simulator.fault_answers import broken_off, oddly_framed
from tollgate.local.simulator.faults import (
    ErrorFirstFrame,
    ErrorMidStream,
    NoUsageFrame,
    OddFraming,
    ResponsesFailed,
)
from tollgate.local.simulator.frames import Frame, StreamStyle
from tollgate.local.simulator.generation import Generation
from tollgate.local.simulator.json_types import JsonObject, encode
from tollgate.local.simulator.response_answers import Failure, ResponseAnswer
from tollgate.local.simulator.response_frames import response_frames
from tollgate.local.simulator.routes import Operation
from tollgate.local.simulator.settings import SimulatedDeployment
from tollgate.local.simulator.stored_responses import StoredResponses


@dataclass(frozen=True, slots=True)
class Generated:
    """A generation, with what its reply needs to know.

    Attributes:
        exchange: The call.
        deployment: What served it.
        generation: What was generated.
    """

    exchange: Exchange
    deployment: SimulatedDeployment
    generation: Generation

    def envelope(self, asked_tier: str | None) -> Envelope:
        """What the answer bears; the tier asked for only if the deployment has it."""
        served = asked_tier if asked_tier in self.deployment.service_tiers else "default"
        created = int(self.exchange.at.timestamp())
        return Envelope(self.exchange.ids, created, self.deployment.full_model, served or "default")

    def plain(self, value: JsonObject, usage: JsonObject) -> PlainReply:
        """A whole answer; its usage is billed whether it arrives or not."""
        self.exchange.entry.response_id = str(value["id"])
        self.exchange.entry.usage = usage
        return PlainReply(200, encode(value), {})

    def streamed(
        self,
        frames: Iterator[Frame],
        operation: Operation,
        usage_until: Callable[[int], JsonObject | None],
    ) -> StreamReply:
        """A stream; what is generated until its end is billed, and nothing if it fails at once."""
        if self.exchange.applied.first(ErrorFirstFrame):
            usage_until = _nothing
        self.exchange.entry.usage = usage_until(0)
        return StreamReply(_with_faults(frames, self.exchange, operation), usage_until)

    def chat_usage_until(self, pieces: int) -> JsonObject:
        """Usage after that many pieces, as chat and completions have it."""
        return self.generation.counts_until(pieces).chat_usage()

    def response_usage_until(self, pieces: int) -> JsonObject:
        """Usage after that many pieces, as the Responses API has it."""
        return self.generation.counts_until(pieces).response_usage()


def chat_reply(
    made: Generated, body: ChatBody | CompletionBody, dialect: Dialect
) -> PlainReply | StreamReply:
    """The reply of chat/completions and of completions."""
    envelope = made.envelope(body.service_tier)
    if not body.stream:
        answer = chat_answer if dialect == "chat.completions" else completion_answer
        return made.plain(answer(made.generation, envelope), made.generation.counts.chat_usage())
    options = body.stream_options
    style = StreamStyle(
        include_usage=bool(options and options.include_usage),
        send_usage=made.exchange.applied.first(NoUsageFrame) is None,
        obfuscate=bool(options and options.include_obfuscation),
        late_filter=made.deployment.asynchronous_filter,
    )
    prefix = "chatcmpl-" if dialect == "chat.completions" else "cmpl-"
    made.exchange.entry.response_id = envelope.ids.prefixed(prefix)
    frames = chat_frames(made.generation, envelope, style, dialect)
    return made.streamed(frames, dialect, made.chat_usage_until)


def response_reply(
    made: Generated, body: ResponseBody, stored: StoredResponses
) -> PlainReply | StreamReply:
    """The reply of the Responses API; stores it unless told not to."""
    fault = made.exchange.applied.first(ResponsesFailed)
    failure = Failure(fault.code, fault.message, fault.with_usage) if fault else None
    answer = ResponseAnswer(
        body,
        made.envelope(body.service_tier),
        made.generation,
        failure,
        states_usage=made.exchange.applied.first(NoUsageFrame) is None,
    )
    keep = partial(_keep, stored, answer)
    made.exchange.entry.response_id = answer.id
    if body.stream:
        obfuscate = bool(body.stream_options and body.stream_options.include_obfuscation)
        frames = response_frames(answer, obfuscate=obfuscate, keep=keep)
        return made.streamed(frames, "responses", made.response_usage_until)
    usage = made.generation.counts.response_usage()
    if body.background:
        keep(answer.underway("in_progress"), answer.finished())
        return made.plain(answer.underway("queued"), usage)
    finished = answer.finished()
    keep(finished)
    return made.plain(finished, usage)


def _nothing(_pieces: int) -> None:
    return None


def _keep(stored: StoredResponses, answer: ResponseAnswer, *states: JsonObject) -> None:
    if answer.body.store is not False:
        counts = answer.generation.counts
        stored.keep(answer.id, states, counts.input + counts.output)


def _with_faults(
    frames: Iterator[Frame], exchange: Exchange, operation: Operation
) -> Iterator[Frame]:
    if first := exchange.applied.first(ErrorFirstFrame):
        error: JsonObject = {"code": first.code, "message": first.message}
        frames = broken_off(frames, 0, error, operation)
    elif later := exchange.applied.first(ErrorMidStream):
        error = {"code": later.code, "message": later.message}
        frames = broken_off(frames, later.after_frames, error, operation)
    return oddly_framed(frames) if exchange.applied.first(OddFraming) else frames
